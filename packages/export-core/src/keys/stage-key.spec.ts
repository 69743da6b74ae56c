import { artefactKey, stageKey, type KeyParts } from './stage-key';

const PARTS: KeyParts = {
  stage: 'freeze',
  slice: { inputs: [{ name: 'x' }], freeze: {} },
  sources: [
    { role: 'graph', sha256: 'aa' },
    { role: 'checkpoint/index', sha256: 'bb' },
  ],
  fingerprint: 'f',
};

describe('stageKey', () => {
  it('is short, and stays what it is', () => {
    expect(stageKey(PARTS)).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(stageKey(PARTS)).toMatchInlineSnapshot(`"vKOlsLDpJ9fx0_6b52iXE4"`);
  });

  it('does not depend on any order', () => {
    const { sources, ...rest } = PARTS;
    expect(stageKey({ sources: [...sources].reverse(), ...rest })).toBe(stageKey(PARTS));
  });

  it('depends on every part', () => {
    const keys = [
      PARTS,
      { ...PARTS, stage: 'convert' },
      { ...PARTS, variant: 'float' },
      { ...PARTS, slice: { ...(PARTS.slice as object), freeze: { variables: 'ema' } } },
      { ...PARTS, sources: PARTS.sources.slice(1) },
      { ...PARTS, sources: [PARTS.sources[0], { role: 'checkpoint/index', sha256: 'cc' }] },
      { ...PARTS, sources: [PARTS.sources[0], { role: 'checkpoint', sha256: 'bb' }] },
      { ...PARTS, fingerprint: 'g' },
      { ...PARTS, engine: 'litert 2' },
    ].map(stageKey);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('artefactKey', () => {
  it('adds the upstream artefacts, in any order', () => {
    const a = { path: 'frozen/graph.pb', sha256: '1' };
    const b = { path: 'frozen/contract.json', sha256: '2' };
    expect(artefactKey('k', [a, b])).toBe(artefactKey('k', [b, a]));
    const keys = [
      artefactKey('k', [a, b]),
      artefactKey('l', [a, b]),
      artefactKey('k', [a]),
      artefactKey('k', []),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(
      artefactKey('k', [
        { ...a, sha256: '2' },
        { ...b, sha256: '1' },
      ]),
    ).not.toBe(keys[0]);
  });
});
