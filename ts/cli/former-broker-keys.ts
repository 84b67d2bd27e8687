const former = `
  advertised.host.name advertised.port broker.id.generation.enable control.plane.listener.name
  controlled.shutdown.max.retries controlled.shutdown.retry.backoff.ms delegation.token.master.key
  eligible.leader.replicas.enable group.coordinator.new.enable host.name inter.broker.protocol.version
  log.cleaner.dedupe.buffer.load.factor log.message.downconversion.enable log.message.format.version
  log.message.timestamp.difference.max.ms offsets.commit.required.acks password.encoder.cipher.algorithm
  password.encoder.iterations password.encoder.key.length password.encoder.keyfactory.algorithm
  password.encoder.old.secret password.encoder.secret port quota.consumer.default quota.producer.default
  reserved.broker.max.id zookeeper.clientCnxnSocket zookeeper.connect zookeeper.connection.timeout.ms
  zookeeper.max.in.flight.requests zookeeper.metadata.migration.enable zookeeper.session.timeout.ms zookeeper.set.acl
  zookeeper.ssl.client.enable zookeeper.sync.time.ms
`

/** Broker configs of Kafka that 4.3 has no more, and that older configuration files still have. */
export const formerBrokerKeys: ReadonlySet<string> = new Set(former.trim().split(/\s+/))

/**
 * Keys that a Kafka node cannot start without or that are about the other nodes of a cluster: whoever brings their
 * configuration along means no harm by them.
 */
const ofClusters = [
  /^(process\.roles|early\.start\.listeners|unclean\.leader\.election\.enable)$/,
  /^(controller|inter\.broker|metadata|replica|security\.inter\.broker|zookeeper)\./,
  /^(offsets\.topic|transaction\.state\.log|share\.coordinator\.state\.topic)\.(replication\.factor|min\.isr)$/,
]

export function isOfClusters(key: string): boolean {
  return ofClusters.some((pattern) => pattern.test(key))
}
