// Loaded into the server under test: asked for it, collects the garbage and tells what memory JavaScript holds then.
process.on('message', async () => {
  for (let i = 0; i < 3; i += 1) {
    globalThis.gc()
    // Finalizers of native memory run in turns of their own.
    await new Promise((resolve) => setImmediate(resolve))
  }
  process.send(process.memoryUsage())
})
process.channel.unref()
