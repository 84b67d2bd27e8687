// The floors of the house (docs: design, section 1). A file may import its own room and any floor below; nothing
// imports up, rooms of one floor only where the table says so, and nothing goes in circles.
const floors = [
  ['errors'],
  ['native', 'protocol', 'records'],
  ['log'],
  ['broker'],
  ['client'],
  ['server', 'transport', 'cluster', 'serde', 'queues'],
  ['cli', 'console'],
]

/** Rooms that may also use a neighbour on their own floor. */
const neighbours = { records: ['native'], server: ['transport'], cluster: ['transport'], queues: ['serde'] }

/** ts/index.ts and what stands beside it are on the top floor. */
const topFiles = '^ts/[^/]+\\.ts$'
const top = floors.length - 1
const inRooms = (rooms) => `^ts/(${rooms.join('|')})/`

const upward = floors.flatMap((rooms, height) => {
  const above = [...floors.slice(height + 1).flat()]
  return rooms.map((room) => {
    const beside = rooms.filter((other) => other !== room && !neighbours[room]?.includes(other))
    return {
      name: `floor-${height}-${room}`,
      comment: `ts/${room} stands on floor ${height}: it may import its own folder and floors below.`,
      severity: 'error',
      from: { path: inRooms([room]) },
      to: { path: [inRooms([...above, ...beside, '-']), ...(height < top ? [topFiles] : [])] },
    }
  })
})

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'no-cycles',
      comment: 'A cycle has no bottom to read from.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'one-door-to-the-addon',
      comment: 'Only ts/native may touch the compiled addon.',
      severity: 'error',
      from: { pathNot: '^ts/native/' },
      to: { path: '\\.node$' },
    },
    {
      name: 'rooms-are-known',
      comment: 'A new folder under ts/ needs its floor in this file.',
      severity: 'error',
      from: {},
      to: { path: '^ts/[^/]+/', pathNot: inRooms(floors.flat()) },
    },
    {
      name: 'not-to-dev-dependencies',
      comment: 'What ships may use only what installs with it.',
      severity: 'error',
      from: { path: '^ts/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'resolvable',
      comment: 'Every import resolves.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '\\.node$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default'] },
  },
}
