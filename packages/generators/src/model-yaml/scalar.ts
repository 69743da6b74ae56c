/** A YAML scalar: plain where it cannot be read as anything but text. */
export function scalar(text: string): string {
  const plain =
    /^[A-Za-z_./][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n|\.(inf|nan))$/i.test(text);
  // JSON's strings are YAML's.
  return plain ? text : JSON.stringify(text);
}
