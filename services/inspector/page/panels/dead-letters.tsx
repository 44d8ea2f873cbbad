/** Inputs that could not be applied: look at them, apply them again, or drop them for good. */
import { useState } from 'preact/hooks';
import { useApp } from '../app-context.ts';
import { http } from '../model/http.ts';
import { useStore } from '../model/store.ts';
import { useAnswer } from '../parts/use-answer.ts';
import { cut, instant, short } from '../text.ts';
import type { GlobalPanel } from './panel.ts';

export const deadLettersPanel: GlobalPanel = { id: 'dead-letters', title: 'Dead letters', view: DeadLettersPanel };

interface Letter {
  readonly seq: number;
  readonly at: number;
  readonly actor: string;
  readonly verb: string;
  readonly code: string;
  readonly message: string;
  readonly payload?: unknown;
  readonly payloadBase64?: string;
}

interface Letters {
  readonly letters: readonly Letter[];
  readonly next?: number;
}

function DeadLettersPanel() {
  const { session, route } = useApp();
  useStore(session);
  const [version, setVersion] = useState(0);
  const [after, setAfter] = useState(0);
  const [asked, setAsked] = useState<number | undefined>(undefined);
  const [problem, setProblem] = useState('');
  const { value, error, loading } = useAnswer(
    () => http<Letters>('GET', `/v1/dead-letters?after=${after}`),
    [version, after],
  );
  const act = async (what: string, method: 'POST' | 'DELETE', path: string): Promise<void> => {
    setProblem('');
    setAsked(undefined);
    try {
      await http(method, path);
      session.say(what);
    } catch (failure) {
      setProblem(failure instanceof Error ? failure.message : String(failure));
    }
    setVersion((count) => count + 1);
  };
  const letters = value?.letters ?? [];
  return (
    <section class="panel page" aria-label="Dead letters">
      <div class="toolbar">
        <h2>Dead letters</h2>
        <span class="grow" />
        {after > 0 && (
          <button type="button" onClick={() => setAfter(0)}>
            First page
          </button>
        )}
        <button type="button" onClick={() => setVersion(version + 1)}>
          Look again
        </button>
      </div>
      <p class="problem" role="alert">
        {error ?? problem}
      </p>
      {letters.length === 0 && <p class="empty">{loading ? 'Reading …' : 'There are none.'}</p>}
      <ul class="letters">
        {letters.map((letter) => (
          <li key={letter.seq} class="card">
            <div class="letter-head">
              <button
                type="button"
                class="link"
                onClick={() => route.go({ actor: letter.actor, panel: 'timeline', seq: letter.seq })}
              >
                {cut(letter.actor, 80)}
              </button>
              <span class="muted">{`${letter.verb} ${letter.seq}, ${instant(letter.at)}`}</span>
            </div>
            <p>
              <b class="error">{letter.code}</b>
              {` ${letter.message}`}
            </p>
            <code class="payload">{short(letter.payload ?? letter.payloadBase64 ?? '', 300)}</code>
            <div class="actions">
              <button
                type="button"
                disabled={!session.mayOperate}
                onClick={() =>
                  act(`Letter ${letter.seq} was redriven.`, 'POST', `/v1/dead-letters/${letter.seq}/redrive`)
                }
              >
                Redrive
              </button>
              {asked === letter.seq ? (
                <>
                  <button
                    type="button"
                    class="danger"
                    onClick={() => act(`Letter ${letter.seq} was dropped.`, 'DELETE', `/v1/dead-letters/${letter.seq}`)}
                  >
                    Drop for good
                  </button>
                  <button type="button" onClick={() => setAsked(undefined)}>
                    Keep
                  </button>
                </>
              ) : (
                <button type="button" disabled={!session.mayOperate} onClick={() => setAsked(letter.seq)}>
                  Drop …
                </button>
              )}
            </div>
          </li>
        ))}
      </ul>
      {value?.next !== undefined && (
        <button type="button" onClick={() => setAfter(value.next ?? 0)}>
          Next page
        </button>
      )}
      {!session.mayOperate && <p class="muted">Redriving and dropping need the role operate; you may only read.</p>}
    </section>
  );
}
