/** Prints what a check found, one problem a line, and makes the process fail if there is any. */
export function reportProblems(check: string, problems: readonly string[]): void {
  for (const problem of problems) console.error(problem);
  console.error(problems.length === 0 ? `${check}: ok` : `${check}: ${problems.length} to fix`);
  if (problems.length > 0) process.exitCode = 1;
}
