/** Kafka's `meta.properties`: who owns a log directory. Comments and unknown keys are not kept: it is written once. */
export const metaPropertiesFile = 'meta.properties'
export const cleanShutdownFile = '.kafka_cleanshutdown'

export interface MetaProperties {
  clusterId: string | null
  nodeId: number | null
  directoryId: string | null
}

export function serializeMetaProperties(clusterId: string, nodeId: number, directoryId: string): Buffer {
  return Buffer.from(`#\nversion=1\ncluster.id=${clusterId}\nnode.id=${nodeId}\ndirectory.id=${directoryId}\n`, 'utf8')
}

/** Java properties, as far as Kafka uses them here: `key=value` or `key:value` lines, `\` before a special character. */
export function parseMetaProperties(bytes: Buffer): MetaProperties {
  const values = new Map<string, string>()
  for (const line of bytes.toString('utf8').split(/\r?\n/)) {
    const match = /^\s*([^#!\s=:][^\s=:]*)\s*[=:]\s*(.*?)\s*$/.exec(line)
    if (match !== null) values.set(match[1], match[2].replace(/\\(.)/g, '$1'))
  }
  // Version 0 files (before KRaft) name the node broker.id.
  const node = values.get('node.id') ?? values.get('broker.id')
  return {
    clusterId: values.get('cluster.id') ?? null,
    nodeId: node === undefined || !/^-?\d+$/.test(node) ? null : Number(node),
    directoryId: values.get('directory.id') ?? null,
  }
}

/** What Kafka finds after a clean stop. Epoch -1 tells it that no broker registration preceded. */
export const cleanShutdownText = Buffer.from('{"version":0,"brokerEpoch":-1}', 'utf8')
