/** A user's smallest program: opens a directory, stores one record, prints its resident memory, closes. */
const { open } = require('seglog')
async function main(folder) {
  const log = await open(folder)
  await log.producer({ acks: 1 }).send({ topic: 'bench', messages: [{ value: 'first' }] })
  process.stdout.write(String(process.memoryUsage.rss()))
  await log.close()
}
main(process.argv[2])
