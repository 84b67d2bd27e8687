// Opens a directory and appends by both lanes, with flushes and reads under way, until it is stopped from outside, or
// exits by itself in the middle. Runs as a worker thread; workerData: { engine, folder, batch, exitAfter }.
const { parentPort, workerData } = require('node:worker_threads')
const { openEngine } = require(workerData.engine)

async function main() {
  const engine = openEngine()
  const directory = await engine.openDirectory(workerData.folder)
  await directory.makeDirectory('t-0')
  const segment = await engine.openSegment(directory, {
    folder: 't-0',
    baseOffset: 0,
    active: true,
    segmentBytes: 64 << 20,
    indexBytes: 1 << 20,
    indexIntervalBytes: 4096,
    slot: directory.slot('0123456789abcdef0123456789abcdef', 0),
    create: true,
  })
  const bytes = Buffer.from(workerData.batch)
  const options = { leaderEpoch: 0, appendTime: -1, crc: 'compute' }
  const out = new Float64Array(4)
  const ignore = () => {}
  for (let turn = 0; ; turn++) {
    for (let i = 0; i < 20; i++) {
      if (segment.appendNow(bytes, options, out) !== 0) segment.append([bytes], options).catch(ignore)
    }
    segment.append([bytes, bytes], options).catch(ignore)
    segment.flush().catch(ignore)
    segment.read(0, Number.MAX_SAFE_INTEGER, 1 << 16).catch(ignore)
    directory.replaceFile('checkpoint', bytes).catch(ignore)
    if (turn === 2) parentPort.postMessage('appending')
    if (turn === workerData.exitAfter) process.exit(0)
    await new Promise(setImmediate)
  }
}

main()
