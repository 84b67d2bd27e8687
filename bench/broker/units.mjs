/** What a row counts, and whether more of it is better. */
export const rate = (unit) => ({ unit, more: true })
export const cost = (unit) => ({ unit, more: false })

export const megabytesPerSecond = rate('MB/s')
export const cpuSecondsPerGigabyte = cost('s/GB')
export const milliseconds = cost('ms')
export const seconds = cost('s')
