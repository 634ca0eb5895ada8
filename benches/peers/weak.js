// A million weak references, ephemerons or registrations under V8: what `orinoco weak` measures.
// node --expose-gc benches/peers/weak.js [COUNT] [ROUNDS]
'use strict';
const count = Number(process.argv[2] || 1_000_000);
const rounds = Number(process.argv[3] || 5);

const median = (xs) => xs.sort((a, b) => a - b)[xs.length >> 1];
const per = (ms) => (ms * 1e6) / count;
// Processor time of all threads: a shared machine's clock says little.
const cpu = (f) => { const t = process.cpuUsage(); f(); const d = process.cpuUsage(t); return (d.user + d.system) / 1e3; };
const full = () => cpu(() => globalThis.gc());
const young = () => cpu(() => globalThis.gc({ type: 'minor' }));

const parts = {
  '(targets)': () => ({ make: () => null, look: () => count }),
  cells: () => ({
    make: (targets) => targets.map((t) => new WeakRef(t)),
    look: (cells) => { let n = 0; for (const c of cells) n += c.deref() !== undefined; return n; },
  }),
  ephemerons: () => ({
    make: (targets) => { const m = new WeakMap(); targets.forEach((t, i) => m.set(t, i)); return m; },
    look: (m, targets) => { let n = 0; for (const t of targets) n += m.get(t) !== undefined; return n; },
  }),
  registrations: () => ({
    make: (targets) => { const r = new FinalizationRegistry(() => {}); targets.forEach((t, i) => r.register(t, i, t)); return r; },
    look: () => count,
  }),
};

// A turn for each step: what a turn has created or seen weakly is kept to its end.
const turn = () => new Promise((done) => setTimeout(done, 0));

async function measure(name) {
  const { make, look } = parts[name]();
  const targets = Array.from({ length: count }, (_, i) => ({ number: i, next: null }));
  globalThis.gc(); globalThis.gc();
  let weak;
  const madeIn = cpu(() => { weak = make(targets); });
  await turn();
  globalThis.gc(); globalThis.gc();
  const lookedIn = cpu(() => { if (look(weak, targets) !== count) throw new Error('something died'); });
  await turn();
  const fulls = [], youngs = [];
  for (let i = 0; i < rounds; i++) { fulls.push(full()); await turn(); }
  for (let i = 0; i < rounds; i++) { youngs.push(young()); await turn(); }
  for (let i = 1; i < count; i += 2) targets[i] = null;
  await turn();
  const dying = full();
  await turn();
  if (targets[0] === null || weak === undefined) throw new Error('kept');
  return { make: per(madeIn), look: per(lookedIn), full: median(fulls), dying, young: median(youngs) };
}

(async () => {
  console.log(`node ${process.version}: ${count} targets; collections in milliseconds, all of processor time`);
  console.log('part            make ns  look ns      full     dying     young   full, more than bare: ns each');
  let bare;
  for (const name of Object.keys(parts)) {
    const f = await measure(name);
    bare ??= f;
    const n = (x, w, d) => x.toFixed(d).padStart(w);
    console.log(name.padEnd(14), n(f.make, 8, 1), n(f.look, 8, 1), n(f.full, 9, 1), n(f.dying, 9, 1), n(f.young, 9, 2), n(per(Math.max(0, f.full - bare.full)), 14, 1));
  }
})();
