/**
 * Keys of model.yaml that are specified but whose feature is not built yet: path → what to say (D006).
 *
 * `*` stands for any key or list index; `=value` restricts the row to one value. A row below `variants.*` concerns
 * that variant's targets only, any other row the whole model. Building a feature means deleting its rows.
 */
export const NOT_BUILT: Readonly<Record<string, string>> = {};

export interface NotBuilt {
  path: (string | number)[];
  message: string;
}

/** Every place of a parsed model.yaml that uses a feature of the table. */
export function findNotBuilt(
  value: unknown,
  table: Readonly<Record<string, string>> = NOT_BUILT,
): NotBuilt[] {
  return Object.entries(table).flatMap(([row, message]) => {
    const [pattern, only] = row.split('=');
    return matches(value, pattern.split('.'), only, []).map((path) => ({ path, message }));
  });
}

function matches(
  value: unknown,
  pattern: string[],
  only: string | undefined,
  path: (string | number)[],
): (string | number)[][] {
  if (pattern.length === 0) return only === undefined || value === only ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  const [head, ...rest] = pattern;
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries
    .filter(([key]) => head === '*' || key === head)
    .flatMap(([key, child]) => matches(child, rest, only, [...path, key]));
}
