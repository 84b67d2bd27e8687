/** The command line of `npm run bench -- broker`. */
const usage = `npm run bench -- broker [--json] [--quick] [--only=seglog|kafka] [--rows=PART,PART] [--rounds=N] [--capacity=N]
  --quick      a round of everything, fewer bytes and seconds
  --only       one of the servers, alone
  --rows       only rows with these names, or whose names hold one of these parts
  --rounds     alternating rounds (default 3)
  --capacity   requests a second that the latency rows take for 100% (default: what the slower server does)`

export function parseOptions(args) {
  const given = Object.fromEntries(
    args.map((arg) => {
      const [, name, , value] = /^--([a-z-]+)(=(.*))?$/.exec(arg) ?? []
      return [name, value ?? true]
    }),
  )
  const { quick = false, only, rows, rounds = quick ? 1 : 3, capacity, ...others } = given
  if (Object.keys(others).length > 0 || (only && !['seglog', 'kafka'].includes(only))) throw new Error(usage)
  return {
    /** Neither shortened nor narrowed. */
    whole: !quick && !only && !rows && Number(rounds) >= 3,
    servers: only ? [only] : ['seglog', 'kafka'],
    rows: rows ? String(rows).split(',') : null,
    rounds: Number(rounds),
    capacity: capacity === undefined ? null : Number(capacity),
    /** Of bytes and seconds. */
    scale: quick ? 0.25 : 1,
  }
}
