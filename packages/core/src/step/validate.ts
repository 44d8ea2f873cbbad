/** Checks values against Standard Schemas (https://standardschema.dev), synchronously: a step can't wait. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { TroupeError } from '@troupe/wire';

/**
 * @returns the value as the schema made it, or why it was refused.
 * @example validate(schema, { text: 'hi' }, 'input')
 */
export function validate(
  schema: StandardSchemaV1 | undefined,
  value: unknown,
  what: string,
): { readonly value: unknown } | TroupeError {
  if (schema === undefined) return { value };
  let result: StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>>;
  try {
    result = schema['~standard'].validate(value);
  } catch (error) {
    return new TroupeError('InvalidPayload', `The schema of the ${what} threw: ${String(error)}.`, { cause: error });
  }
  if ('then' in result)
    return new TroupeError(
      'ConfigInvalid',
      `The schema of the ${what} validates asynchronously. Use a synchronous schema: a step can't wait.`,
    );
  if (result.issues === undefined) return { value: result.value };
  const issues = result.issues.slice(0, 16).map((issue) => ({ path: pathOf(issue), message: issue.message }));
  const first = issues[0]!;
  return new TroupeError(
    'InvalidPayload',
    `The ${what} is not valid at ${first.path || 'its root'}: ${first.message}. Send what the schema expects.`,
    { details: { issues } },
  );
}

function pathOf(issue: StandardSchemaV1.Issue): string {
  return (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
}
