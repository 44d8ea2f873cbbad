/** Time travel: a slider over the history; whatever panel is open shows the moment that it points at. */
import type { ActorModel } from '../model/actor-model.ts';
import { useStore } from '../model/store.ts';
import { eventLabel, instant } from '../text.ts';

export function MomentBar({
  model,
  onMoment,
}: {
  readonly model: ActorModel;
  readonly onMoment: (seq: number | undefined) => void;
}) {
  useStore(model);
  const { steps, index, shown, momentSeq } = model;
  const last = steps.length - 1;
  const goTo = (at: number): void => {
    const step = steps[Math.max(0, Math.min(last, at))];
    if (step !== undefined) onMoment(step.seq);
  };
  const text =
    shown === undefined
      ? 'no history yet'
      : `${index + 1} of ${steps.length}, entry ${shown.seq}, ${eventLabel(shown.entry.event?.type ?? shown.entry.kind)}, ${instant(shown.at)}`;
  return (
    <div class="moment" role="group" aria-label="Time travel">
      <button type="button" aria-label="First entry" disabled={index <= 0} onClick={() => goTo(0)}>
        |◀
      </button>
      <button type="button" aria-label="Entry before" disabled={index <= 0} onClick={() => goTo(index - 1)}>
        ◀
      </button>
      <input
        type="range"
        class="slider"
        min={0}
        max={Math.max(0, last)}
        value={Math.max(0, index)}
        disabled={last < 0}
        aria-label="Moment in the history"
        aria-valuetext={text}
        onInput={(event) => goTo(Number(event.currentTarget.value))}
      />
      <button type="button" aria-label="Entry after" disabled={index >= last} onClick={() => goTo(index + 1)}>
        ▶
      </button>
      <button
        type="button"
        class={momentSeq === undefined ? 'on' : ''}
        aria-pressed={momentSeq === undefined}
        onClick={() => onMoment(undefined)}
      >
        Live
      </button>
      <output class="moment-text">{text}</output>
    </div>
  );
}
