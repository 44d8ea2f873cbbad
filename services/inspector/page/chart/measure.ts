/** How wide text is in this browser, with the fonts of the style sheet. */
import type { ChartFont, Measure } from './graph.ts';

/** The same as `.chart text` in the style sheet. */
const FAMILY =
  "-apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', 'DejaVu Sans', system-ui, sans-serif";
const FONTS: Readonly<Record<ChartFont, string>> = { title: `600 13px ${FAMILY}`, line: `11px ${FAMILY}` };

export function createMeasure(): Measure {
  const context = document.createElement('canvas').getContext('2d');
  return (text, font) => {
    if (context === null) return text.length * 8;
    context.font = FONTS[font];
    return context.measureText(text).width + 2;
  };
}
