/**
 * A list of which only the lines in sight exist. One line has one height, so that a hundred thousand of them scroll like ten.
 *
 * Keyboard: arrows, page up and down, home and end move the cursor; Enter opens. The focus stays on the list, which names the
 * line of the cursor (`aria-activedescendant`).
 */
import { Component, type ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface VirtualListProps {
  readonly id: string;
  readonly label: string;
  readonly count: number;
  /** px */
  readonly rowHeight: number;
  /** Cells of one line. */
  readonly row: (index: number) => ComponentChildren;
  readonly rowClass?: (index: number) => string;
  /** What the cells of a line are made of: while each part stays the same, the line is not made again. */
  readonly stamp: (index: number) => readonly unknown[];
  readonly selected?: number | undefined;
  readonly onSelect?: (index: number) => void;
  /** Scrolls here whenever it changes. */
  readonly scrollTo?: number | undefined;
}

/** Lines beyond the edges, so that a quick scroll meets no emptiness. */
const MARGIN_ROWS = 8;

export function VirtualList(props: VirtualListProps) {
  const { id, label, count, rowHeight, row, rowClass, stamp, selected, onSelect, scrollTo } = props;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [cursor, setCursor] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    setHeight(element.clientHeight);
    return () => observer.disconnect();
  }, []);
  const reveal = (index: number): void => {
    const element = box.current;
    if (element === null) return;
    const from = index * rowHeight;
    if (from < element.scrollTop) element.scrollTop = from;
    else if (from + rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = from + rowHeight - element.clientHeight;
  };
  useEffect(() => {
    if (scrollTo === undefined || scrollTo < 0) return;
    setCursor(scrollTo);
    reveal(scrollTo);
  }, [scrollTo]);
  const move = (index: number): void => {
    const next = Math.max(0, Math.min(count - 1, index));
    setCursor(next);
    reveal(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(height / rowHeight) - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: cursor + 1,
      ArrowUp: cursor - 1,
      PageDown: cursor + page,
      PageUp: cursor - page,
      Home: 0,
      End: count - 1,
    };
    const next = steps[event.key];
    if (next !== undefined) move(next);
    else if (event.key === 'Enter' || event.key === ' ') onSelect?.(cursor);
    else return;
    event.preventDefault();
  };
  const first = Math.max(0, Math.floor(top / rowHeight) - MARGIN_ROWS);
  const last = Math.min(count, Math.ceil((top + height) / rowHeight) + MARGIN_ROWS);
  const pool = Math.ceil(height / rowHeight) + 2 * MARGIN_ROWS + 2;
  const indexes = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);
  return (
    <div
      class="virtual"
      ref={box}
      role="listbox"
      tabIndex={0}
      id={id}
      aria-label={label}
      aria-activedescendant={count > 0 ? `${id}-${cursor}` : undefined}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <div class="virtual-space" style={{ height: `${count * rowHeight}px` }}>
        {indexes.map((index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the list takes the keys for all its lines
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays on the list, which names the active line
          <div
            // A line that leaves at one end is used again at the other.
            key={index % pool}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === selected}
            aria-posinset={index + 1}
            aria-setsize={count}
            class={`row ${rowClass?.(index) ?? ''} ${index === cursor ? 'cursor' : ''}`}
            style={{ transform: `translateY(${index * rowHeight}px)`, height: `${rowHeight}px` }}
            onClick={() => {
              setCursor(index);
              onSelect?.(index);
            }}
          >
            <Line stamp={stamp(index)} render={() => row(index)} />
          </div>
        ))}
      </div>
    </div>
  );
}

interface LineProps {
  readonly stamp: readonly unknown[];
  readonly render: () => ComponentChildren;
}

/** While a list scrolls, nearly all of its lines stay what they were. */
class Line extends Component<LineProps> {
  override shouldComponentUpdate({ stamp }: LineProps): boolean {
    return stamp.length !== this.props.stamp.length || stamp.some((part, at) => part !== this.props.stamp[at]);
  }

  override render({ render }: LineProps): ComponentChildren {
    return render();
  }
}
