/** Partitions of the journals of the tests: enough to differ, few enough to be taken over fast. */
export const PARTITIONS = 8;
