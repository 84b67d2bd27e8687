import { protocolError } from '../../protocol/errors.js'
import { configResourceType, configType } from '../../protocol/messages/32-describe-configs.js'
import { zeroUuid } from '../../protocol/uuid.js'
import { baseKey, type ConfigMap } from '../broker-config.js'
import { brokerConfigs } from '../broker-config-table.js'
import type { BrokerState } from '../broker-state.js'
import { type ConfigTable, unknownConfig } from '../config-def.js'
import { checkDynamicConfig } from '../dynamic-configs.js'
import { groupConfigs } from '../group-config-table.js'
import { checkTopicConfigs, checkTopicConfigsTogether, sayUnused, TopicConfig } from '../topic-config.js'
import { topicConfigs } from '../topic-config-table.js'
import { checkTopicName } from '../topic-names.js'
import { checkThisBroker, type Resource, unknownResource } from './config-resource.js'

/** The configs of one resource as an alteration sees them. */
export interface AlterableConfigs {
  /** What is set now. */
  readonly set: ConfigMap
  /** Throws UNKNOWN_CONFIG for a key that the resource does not have, unless it is set all the same. */
  checkKey(key: string): void
  isList(key: string): boolean
  /** What would be in force for the key if this were set. */
  inForce(key: string, set: ConfigMap): string
  /** The value as it is kept. Throws INVALID_CONFIG, INVALID_REQUEST. */
  checked(key: string, value: string): string
  /** Throws INVALID_CONFIG for values that contradict each other. */
  checkTogether(set: ConfigMap): void
  /** Resolves once durable and in force. `change` sees the newest, and may throw to refuse. */
  update(change: (set: ConfigMap) => ConfigMap): Promise<void>
}

/** Throws INVALID_REQUEST for a resource without configs, or with none that can be altered. */
export function alterableConfigs(broker: BrokerState, resource: Resource): AlterableConfigs {
  switch (resource.resourceType) {
    case configResourceType.topic:
      return ofTopic(broker, resource.resourceName)
    case configResourceType.broker:
      return ofBroker(broker, resource.resourceName)
    case configResourceType.brokerLogger:
      throw protocolError('INVALID_REQUEST', 'what is logged is chosen when the broker starts and cannot change later')
    case configResourceType.clientMetrics:
      throw protocolError('INVALID_REQUEST', 'this broker takes no metrics from its clients')
    case configResourceType.group:
      return ofGroup(broker, resource.resourceName)
    default:
      throw unknownResource(resource.resourceType)
  }
}

function ofTopic(broker: BrokerState, name: string): AlterableConfigs {
  if (name === '') throw protocolError('INVALID_REQUEST', 'there are no configs of all topics; set those of the broker')
  checkTopicName(name)
  const topic = broker.topics.get(name, zeroUuid)
  const owner = `topic ${name}`
  const { configs } = topic.record
  return {
    set: configs,
    checkKey: (key) => checkKnown(topicConfigs, key, key, configs, owner),
    isList: (key) => topicConfigs[key].type === configType.list,
    inForce: (key, set) => new TopicConfig(set, broker.config).get(key),
    checked: (key, value) => checkTopicConfigs([[key, value]], name, broker.logger)[key],
    checkTogether: (set) => checkTopicConfigsTogether(new TopicConfig(set, broker.config), name),
    update: (change) => broker.topics.update(topic, (record) => ({ ...record, configs: change(record.configs) })),
  }
}

function ofBroker(broker: BrokerState, name: string): AlterableConfigs {
  const scope = name === '' ? 'cluster' : 'broker'
  if (name !== '') checkThisBroker(broker, name)
  const set = broker.dynamicConfigs.get(scope)
  return {
    set,
    checkKey: (key) => checkKnown(brokerConfigs, baseKey(key), key, set, 'the broker'),
    isList: (key) => brokerConfigs[baseKey(key)].type === configType.list,
    inForce: (key, current) => current[key] ?? broker.config.get(key),
    checked: (key, value) => {
      const checked = checkDynamicConfig(scope, key, value)
      if (!brokerConfigs[baseKey(key)].used) sayUnused('broker', key, broker.logger)
      return checked
    },
    checkTogether: () => {},
    update: (change) => broker.dynamicConfigs.update(scope, change),
  }
}

function ofGroup({ groupConfigs: configs }: BrokerState, group: string): AlterableConfigs {
  if (group === '')
    throw protocolError('INVALID_REQUEST', 'there are no configs of all groups; set those of the broker')
  const set = configs.get(group)
  return {
    set,
    checkKey: (key) => checkKnown(groupConfigs, key, key, set, `group ${group}`),
    isList: (key) => groupConfigs[key].type === configType.list,
    inForce: (key, current) => configs.inForce(key, current),
    checked: (key, value) => configs.checked(group, key, value),
    checkTogether: (current) => configs.checkTogether(group, current),
    update: (change) => configs.update(group, change),
  }
}

function checkKnown(table: ConfigTable, base: string, key: string, set: ConfigMap, owner: string): void {
  if (!Object.hasOwn(table, base) && !Object.hasOwn(set, key)) throw unknownConfig(Object.keys(table), key, owner)
}
