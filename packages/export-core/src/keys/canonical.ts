/**
 * Canonical JSON: one text for one value, whatever order its keys were written in.
 *
 * Keys are sorted by code unit, undefined members are dropped, -0 is written as 0. What JSON cannot say
 * (NaN, infinities, bigints, functions, cycles) is refused rather than written as null: two different values must
 * never share a key.
 */
export function canonicalJson(value: unknown): string {
  return write(value, []);
}

function write(value: unknown, parents: object[]): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} has no canonical JSON`);
      return JSON.stringify(value);
    case 'object':
      break;
    default:
      throw new TypeError(`a ${typeof value} has no canonical JSON`);
  }
  if (value === null) return 'null';
  if (parents.includes(value)) throw new TypeError('a value that contains itself has no canonical JSON');
  parents.push(value);
  const text = Array.isArray(value)
    ? `[${Array.from(value, (item) => write(item, parents)).join(',')}]`
    : writeMap(value as Record<string, unknown>, parents);
  parents.pop();
  return text;
}

function writeMap(value: Record<string, unknown>, parents: object[]): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`a ${value.constructor.name} has no canonical JSON`);
  }
  let members = '';
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member === undefined) continue;
    members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${write(member, parents)}`;
  }
  return `{${members}}`;
}
