/**
 * The guards of the step, as switches for the simulation: it turns one off and has to fail. They are on in every process
 * that doesn't do so by hand; no option, file or variable reaches them. Numbers: docs/design/ownership.md.
 */
export const stepRules = {
  /** R9: a sender's message at or below its watermark is a repeat. */
  senderWatermark: true,
  /** R10: task ids are forgotten by time, never by count. */
  tasksByTime: true,
  /** R10: senders are forgotten by time, never by count. */
  sendersByTime: true,
  /** R10: time in a state never goes back. */
  timeForwards: true,
  /** R10: a task refused for want of room is remembered as any other. */
  refusalsRemembered: true,
  /** R13: a task id takes effect once. */
  taskOnce: true,
  /** R13: the first outcome of an effect counts. */
  firstOutcome: true,
};
