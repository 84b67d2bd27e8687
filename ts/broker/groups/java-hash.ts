/** `String.hashCode` of Java: over UTF-16 units, in 32 bits. */
export function javaHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}

/** The partition of a coordinator's topic that a group or transactional id belongs to, as Kafka computes it. */
export function coordinatorPartition(id: string, partitions: number): number {
  const hash = javaHash(id)
  return (hash === -0x8000_0000 ? 0 : Math.abs(hash)) % partitions
}
