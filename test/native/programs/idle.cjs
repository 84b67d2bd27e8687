// Opens a directory and a segment, appends, and does nothing more: the process must end by itself, without close.
const { openEngine } = require(process.argv[2])

async function main() {
  const engine = openEngine()
  const directory = await engine.openDirectory(process.argv[3])
  await directory.makeDirectory('t-0')
  const segment = await engine.openSegment(directory, {
    folder: 't-0',
    baseOffset: 0,
    active: true,
    segmentBytes: 16 << 20,
    indexBytes: 1 << 20,
    indexIntervalBytes: 4096,
    slot: null,
    create: true,
  })
  const { baseOffset } = await segment.append([Buffer.from(process.argv[4], 'hex')], {
    leaderEpoch: 0,
    appendTime: -1,
    crc: 'compute',
  })
  await segment.flush()
  process.on('exit', () => console.log(`appended ${baseOffset}`))
  directory.onOffline = () => {}
}

main()
