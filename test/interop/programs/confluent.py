"""confluent-kafka, so librdkafka, as the tests drive it. See clients/program.ts for how it is talked to."""

import json
import sys
import threading
import time

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    ElectionType,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
)

mouth = threading.Lock()
members = {}


def say(message):
    with mouth:
        sys.stdout.write(json.dumps(message, default=str) + "\n")
        sys.stdout.flush()


def now():
    return str(time.monotonic_ns())


def tell(member, on, at=None, **rest):
    say({"member": member, "on": on, "at": at or now(), **rest})


def text(data):
    return None if data is None else data.decode()


def produce(args):
    patient = args.get("patient", False)
    config = {
        "bootstrap.servers": args["bootstrap"],
        "compression.type": args.get("codec", "none"),
        "acks": {"all": -1}.get(args.get("acks", "all"), args.get("acks", "all")),
        "enable.idempotence": args.get("idempotent", False),
        "batch.num.messages": min(args.get("perBatch", 10000), 10000),
        "linger.ms": 20,
        "message.max.bytes": 4_000_000,
        "message.timeout.ms": 300_000 if patient else 30_000,
        "socket.timeout.ms": 10_000,
        "reconnect.backoff.ms": 20,
        "reconnect.backoff.max.ms": 200,
    }
    producer = Producer(config)
    failures = []

    def delivered(error, message):
        if error is not None:
            failures.append(error)

    for index, record in enumerate(args["records"]):
        more = {} if record.get("timestamp") is None else {"timestamp": record["timestamp"]}
        producer.produce(
            args["topic"],
            value=None if record["value"] is None else record["value"].encode(),
            key=None if record["key"] is None else record["key"].encode(),
            partition=record["partition"],
            headers=[(name, None if value is None else value.encode()) for name, value in record.get("headers", [])],
            on_delivery=delivered,
            **more,
        )
        if args.get("perBatch") == 1 or (args.get("perBatch") and (index + 1) % args["perBatch"] == 0):
            producer.flush(310)
        else:
            producer.poll(0)
    left = producer.flush(310)
    if failures:
        raise KafkaException(failures[0])
    if left > 0:
        raise RuntimeError(f"{left} records not delivered")


def consume(args):
    consumer = Consumer(
        {
            "bootstrap.servers": args["bootstrap"],
            "group.id": f"confluent-read-{now()}",
            "enable.auto.commit": False,
            "fetch.message.max.bytes": 4_000_000,
            "fetch.wait.max.ms": 100,
        }
    )
    topic, begin = args["topic"], args["from"]
    places = [TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(args["partitions"])]
    if begin != "earliest":
        for place in places:
            place.offset = begin["timestamp"]
        places = consumer.offsets_for_times(places, timeout=30)
    consumer.assign(places)
    found = []
    deadline = time.monotonic() + 100
    while len(found) < args["count"] and time.monotonic() < deadline:
        for message in consumer.consume(500, timeout=0.2):
            if message.error():
                raise KafkaException(message.error())
            found.append(
                {
                    "partition": message.partition(),
                    "offset": message.offset(),
                    "key": text(message.key()),
                    "value": text(message.value()),
                    "headers": [[name, text(value)] for name, value in message.headers() or []],
                    "timestamp": message.timestamp()[1],
                }
            )
    consumer.close()
    return found


class Member(threading.Thread):
    """One consumer in a thread: hands records out in small portions and commits after each."""

    strategies = {"range": "range", "roundrobin": "roundrobin", "cooperative": "cooperative-sticky"}
    of_the_broker = {"uniform": "uniform", "broker-range": "range"}

    def __init__(self, args):
        super().__init__(daemon=True)
        self.name = args["member"]
        self.args = args
        self.stop = threading.Event()
        self.assigned = set()
        self.uncommitted = {}
        config = {
            "bootstrap.servers": args["bootstrap"],
            "group.id": args["group"],
            "client.id": args["member"],
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 100,
            "topic.metadata.refresh.interval.ms": 5000,
            "reconnect.backoff.ms": 20,
            "reconnect.backoff.max.ms": 200,
        }
        if args["assignor"] in self.of_the_broker:
            config["group.protocol"] = "consumer"
            config["group.remote.assignor"] = self.of_the_broker[args["assignor"]]
        else:
            config["partition.assignment.strategy"] = self.strategies[args["assignor"]]
            config["session.timeout.ms"] = args.get("sessionMs", 10_000)
            config["heartbeat.interval.ms"] = 500
        self.is_incremental = args["assignor"] == "cooperative" or args["assignor"] in self.of_the_broker
        if args.get("instance"):
            config["group.instance.id"] = args["instance"]
        if args.get("debug"):
            config["debug"] = args["debug"]
        self.consumer = Consumer(config)

    def tell_assignment(self):
        partitions = [{"topic": topic, "partition": partition} for topic, partition in sorted(self.assigned)]
        tell(self.name, "assigned", partitions=partitions)

    def on_assign(self, _consumer, partitions):
        if not self.is_incremental:
            self.assigned = set()
        self.assigned |= {(one.topic, one.partition) for one in partitions}
        self.tell_assignment()

    def on_revoke(self, _consumer, partitions):
        gone = {(one.topic, one.partition) for one in partitions}
        self.assigned -= gone
        for place in gone:
            self.uncommitted.pop(place, None)
        tell(self.name, "revoked", partitions=[{"topic": topic, "partition": one} for topic, one in sorted(gone)])
        if self.args["assignor"] in self.of_the_broker:
            # Nothing else follows where nothing is added.
            self.tell_assignment()

    def run(self):
        try:
            self.consumer.subscribe(
                [f"^{self.args['pattern']}"] if self.args.get("pattern") else self.args["topics"],
                on_assign=self.on_assign,
                on_revoke=self.on_revoke,
                on_lost=self.on_revoke,
            )
            while not self.stop.is_set():
                self.work(self.consumer.consume(20, timeout=0.1))
        except Exception as error:
            tell(self.name, "failed", message=repr(error))
        finally:
            self.consumer.close()

    def work(self, messages):
        at = now()
        good = [message for message in messages if not message.error()]
        for message in messages:
            if message.error() and message.error().fatal():
                raise KafkaException(message.error())
        if good:
            records = [
                {"topic": one.topic(), "partition": one.partition(), "offset": one.offset(), "value": text(one.value())}
                for one in good
            ]
            tell(self.name, "records", at, records=records)
        for one in good:
            place = (one.topic(), one.partition())
            self.uncommitted[place] = max(self.uncommitted.get(place, 0), one.offset() + 1)
        if self.uncommitted:
            self.commit()

    def commit(self):
        offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in self.uncommitted.items()]
        try:
            done = self.consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            # The broker is away, or a rebalance came between: tried again, unless the partition goes to another.
            sys.stderr.write(f"{self.name}: commit failed: {error}\n")
            return
        kept = [one for one in done if one.error is None]
        for one in kept:
            del self.uncommitted[one.topic, one.partition]
        tell(
            self.name,
            "committed",
            offsets=[{"topic": one.topic, "partition": one.partition, "offset": one.offset} for one in kept],
        )


def join(args):
    member = Member(args)
    members[args["member"]] = member
    member.start()


def leave(args):
    member = members.pop(args["member"], None)
    if member is not None:
        member.stop.set()
        member.join(30)


def one_result(futures):
    """The result of the only future in a dict."""
    return next(iter(futures.values())).result(30)


def plain(value):
    """Whatever a client library returns, as data."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(one) for one in value]
    if hasattr(value, "name") and not hasattr(value, "__dict__"):
        return value.name
    return {key.lstrip("_"): plain(one) for key, one in vars(value).items()} if hasattr(value, "__dict__") else str(value)


def create_topic(admin, topic, partitions, configs=None, replicas=-1, **_):
    new = NewTopic(topic, num_partitions=partitions, replication_factor=replicas, config=configs or {})
    return one_result(admin.create_topics([new]))


def describe_config(admin, kind, name):
    entries = one_result(admin.describe_configs([ConfigResource(kind, name)]))
    return {entry.name: entry.value for entry in entries.values()}


def alter_config(admin, topic, configs, remove=(), **_):
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in configs.items()]
    entries += [ConfigEntry(name, None, incremental_operation=AlterConfigOpType.DELETE) for name in remove]
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
    return one_result(admin.incremental_alter_configs([resource]))


def list_offsets(admin, topic, partitions, spec):
    futures = admin.list_offsets({TopicPartition(topic, one): spec for one in range(partitions)})
    return [{"partition": place.partition, "offset": future.result(30).offset} for place, future in futures.items()]


def describe_topic(admin, topic, **_):
    found = admin.list_topics(topic, timeout=30).topics[topic]
    if found.error:
        raise KafkaException(found.error)
    return {"partitions": [{"partition": one.id, "leader": one.leader, "isrs": one.isrs} for one in found.partitions.values()]}


def describe_group(admin, group, **_):
    found = one_result(admin.describe_consumer_groups([group]))
    members = [{"memberId": one.member_id, "clientId": one.client_id, "instance": one.group_instance_id} for one in found.members]
    return {"state": found.state.name, "assignor": found.partition_assignor, "members": members}


def group_offsets(admin, group, **_):
    found = one_result(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]))
    return [{"partition": one.partition, "offset": one.offset} for one in found.topic_partitions]


def set_group_offsets(admin, group, topic, offsets, **_):
    places = [TopicPartition(topic, one["partition"], one["offset"]) for one in offsets]
    found = one_result(admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)]))
    errors = [str(one.error) for one in found.topic_partitions if one.error]
    if errors:
        raise RuntimeError(", ".join(errors))


def list_groups(admin, **_):
    return [{"groupId": one.group_id, "state": one.state.name} for one in admin.list_consumer_groups().result(30).valid]


def describe_cluster(admin, **_):
    found = admin.describe_cluster().result(30)
    return {"id": found.cluster_id, "controller": found.controller.id, "brokers": [one.id for one in found.nodes]}


def elect(admin, topic, partition, **_):
    found = admin.elect_leaders(ElectionType.PREFERRED, [TopicPartition(topic, partition)]).result(30)
    return {str(place.partition): None if error is None else error.name() for place, error in found.items()}


def any_acl(kind):
    return kind(ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY)


admin_calls = {
    "createTopic": create_topic,
    "listTopics": lambda admin, **_: sorted(admin.list_topics(timeout=30).topics),
    "describeTopic": describe_topic,
    "describeTopics": lambda admin, topic, **_: describe_topics(admin, topic),
    "deleteTopic": lambda admin, topic, **_: one_result(admin.delete_topics([topic])),
    "createPartitions": lambda admin, topic, count, **_: one_result(admin.create_partitions([NewPartitions(topic, count)])),
    "offsets": lambda admin, topic, partitions, **_: list_offsets(admin, topic, partitions, OffsetSpec.latest()),
    "offsetsByTime": lambda admin, topic, partitions, timestamp, **_: list_offsets(
        admin, topic, partitions, OffsetSpec.for_timestamp(timestamp)
    ),
    "maxTimestamp": lambda admin, topic, partitions, **_: list_offsets(admin, topic, partitions, OffsetSpec.max_timestamp()),
    "deleteRecords": lambda admin, topic, partition, offset, **_: one_result(
        admin.delete_records([TopicPartition(topic, partition, offset)])
    ).low_watermark,
    "describeConfig": lambda admin, topic, **_: describe_config(admin, ConfigResource.Type.TOPIC, topic),
    "describeBrokerConfig": lambda admin, broker, **_: describe_config(admin, ConfigResource.Type.BROKER, str(broker)),
    "alterConfig": alter_config,
    "describeCluster": describe_cluster,
    "listGroups": list_groups,
    "describeGroup": describe_group,
    "groupOffsets": group_offsets,
    "setGroupOffsets": set_group_offsets,
    "deleteGroup": lambda admin, group, **_: one_result(admin.delete_consumer_groups([group])),
    "electLeaders": elect,
    "describeAcls": lambda admin, **_: plain(admin.describe_acls(any_acl(AclBindingFilter)).result(30)),
    "createAcls": lambda admin, topic, **_: one_result(
        admin.create_acls(
            [
                AclBinding(
                    ResourceType.TOPIC,
                    topic,
                    ResourcePatternType.LITERAL,
                    "User:someone",
                    "*",
                    AclOperation.READ,
                    AclPermissionType.ALLOW,
                )
            ]
        )
    ),
}


def describe_topics(admin, topic):
    found = one_result(admin.describe_topics(TopicCollection([topic])))
    return {"id": str(found.topic_id), "internal": found.is_internal, "partitions": [one.id for one in found.partitions]}


def admin(args):
    args = dict(args)
    client = AdminClient({"bootstrap.servers": args.pop("bootstrap")})
    return plain(admin_calls[args.pop("what")](client, **args))


calls = {"produce": produce, "consume": consume, "join": join, "leave": leave, "admin": admin}


def answer(call):
    number, name = call.pop("id"), call.pop("call")
    try:
        say({"id": number, "ok": calls[name](call)})
    except Exception as error:
        inner = error.args[0] if error.args else None
        name = inner.name() if isinstance(inner, KafkaError) else type(error).__name__
        say({"id": number, "error": f"{name}: {error}"})


def main():
    for line in sys.stdin:
        threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()
    for member in list(members):
        leave({"member": member})
    sys.stdout.flush()


main()
