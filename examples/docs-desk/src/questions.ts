/** What the example asks by itself. */

/** About the packages that this workspace installs, and about itself. */
export const PACKAGE_QUESTIONS: readonly string[] = [
  'My name is John',
  'How do I redact secrets from logs?',
  'What does nats do when the server goes away, and how does it reconnect?',
  'How do I make structured clones with msgpackr?',
  'Why should I migrate to fast-check?',
  'How do parallel states work in XState?',
  'What happens to a task with the same task id twice?',
  'What is my name?',
];

/** About a folder of which nothing is known. */
export const FOLDER_QUESTIONS: readonly string[] = [
  'My name is John',
  'How do I get started?',
  'How is it configured?',
  'What is my name?',
];
