import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.FeatureMetadata;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** What the Java admin client answers, as plain data. */
class AdminCalls {
    static Object run(JsonNode call) throws Exception {
        Properties properties = Client.common(call);
        properties.put("default.api.timeout.ms", "20000");
        properties.put("request.timeout.ms", "10000");
        try (Admin admin = Admin.create(properties)) {
            return new AdminCalls(admin, call).answer(call.get("what").asText());
        }
    }

    private final Admin admin;
    private final JsonNode call;

    private AdminCalls(Admin admin, JsonNode call) {
        this.admin = admin;
        this.call = call;
    }

    private String topic() {
        return call.get("topic").asText();
    }

    private String group() {
        return call.get("group").asText();
    }

    private TopicPartition place() {
        return new TopicPartition(topic(), call.get("partition").asInt());
    }

    private Object answer(String what) throws Exception {
        switch (what) {
            case "createTopic":
                return createTopic();
            case "listTopics":
                return admin.listTopics().names().get();
            case "describeTopic":
                return describeTopic();
            case "deleteTopic":
                return admin.deleteTopics(List.of(topic())).all().get();
            case "createPartitions":
                return admin.createPartitions(Map.of(topic(), NewPartitions.increaseTo(call.get("count").asInt()))).all().get();
            case "offsets":
                return offsets(OffsetSpec.latest());
            case "earliest":
                return offsets(OffsetSpec.earliest());
            case "maxTimestamp":
                return offsets(OffsetSpec.maxTimestamp());
            case "offsetsByTime":
                return offsets(OffsetSpec.forTimestamp(call.get("timestamp").asLong()));
            case "deleteRecords":
                return admin.deleteRecords(Map.of(place(), RecordsToDelete.beforeOffset(call.get("offset").asLong())))
                        .lowWatermarks().get(place()).get().lowWatermark();
            case "describeConfig":
                return configs(new ConfigResource(ConfigResource.Type.TOPIC, topic()));
            case "describeConfigSources":
                return sources(new ConfigResource(ConfigResource.Type.TOPIC, topic()));
            case "describeBrokerConfig":
                return configs(new ConfigResource(ConfigResource.Type.BROKER, call.get("broker").asText()));
            case "alterConfig":
                return alterConfig(new ConfigResource(ConfigResource.Type.TOPIC, topic()));
            case "alterBrokerConfig":
                return alterConfig(new ConfigResource(ConfigResource.Type.BROKER, call.get("broker").asText()));
            case "describeCluster":
                return describeCluster();
            case "listGroups":
                return admin.listConsumerGroups().all().get().stream()
                        .map((one) -> Map.of("groupId", one.groupId(), "state", one.state().map(Object::toString).orElse("")))
                        .collect(Collectors.toList());
            case "describeGroup":
                return describeGroup();
            case "groupOffsets":
                return groupOffsets();
            case "setGroupOffsets":
                return admin.alterConsumerGroupOffsets(group(), offsetsGiven()).all().get();
            case "deleteGroupOffsets":
                return admin.deleteConsumerGroupOffsets(group(), Set.of(place())).all().get();
            case "removeMembers":
                return admin.removeMembersFromConsumerGroup(group(), new RemoveMembersFromConsumerGroupOptions(
                        Set.of(new MemberToRemove(call.get("instance").asText())))).all().get();
            case "deleteGroup":
                return admin.deleteConsumerGroups(List.of(group())).all().get();
            case "electLeaders":
                return elect();
            case "logDirs":
                return logDirs();
            case "describeAcls":
                return admin.describeAcls(AclBindingFilter.ANY).values().get().size();
            case "createAcls":
                return admin.createAcls(List.of(acl())).all().get();
            case "deleteAcls":
                return admin.deleteAcls(List.of(AclBindingFilter.ANY)).all().get().size();
            case "listReassignments":
                return admin.listPartitionReassignments().reassignments().get().size();
            case "quotas":
                return admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get().size();
            case "quorum":
                return quorum();
            case "producers":
                return admin.describeProducers(List.of(place())).partitionResult(place()).get().activeProducers().stream()
                        .map((one) -> Map.of("id", one.producerId(), "lastSequence", one.lastSequence()))
                        .collect(Collectors.toList());
            case "features":
                return features();
            case "metricsResources":
                return admin.listClientMetricsResources().all().get().size();
            case "transactions":
                return admin.listTransactions().all().get().size();
            default:
                throw new IllegalArgumentException("no such admin call: " + what);
        }
    }

    private Object createTopic() throws Exception {
        Map<String, String> configs = new HashMap<>();
        call.path("configs").fields().forEachRemaining((one) -> configs.put(one.getKey(), one.getValue().asText()));
        Optional<Integer> partitions = call.hasNonNull("partitions") ? Optional.of(call.get("partitions").asInt()) : Optional.empty();
        Optional<Short> replicas = call.hasNonNull("replicas") ? Optional.of((short) call.get("replicas").asInt()) : Optional.empty();
        admin.createTopics(List.of(new NewTopic(topic(), partitions, replicas).configs(configs))).all().get();
        return null;
    }

    private Object describeTopic() throws Exception {
        TopicDescription found = admin.describeTopics(List.of(topic())).allTopicNames().get().get(topic());
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("id", found.topicId().toString());
        map.put("internal", found.isInternal());
        map.put("partitions", found.partitions().stream().map((one) -> Map.of("partition", one.partition(),
                "leader", one.leader().id(), "replicas", one.replicas().size(), "isr", one.isr().size()))
                .collect(Collectors.toList()));
        return map;
    }

    private Object offsets(OffsetSpec spec) throws Exception {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        for (int one = 0; one < call.get("partitions").asInt(); one++) asked.put(new TopicPartition(topic(), one), spec);
        List<Map<String, Object>> list = new ArrayList<>();
        admin.listOffsets(asked).all().get().forEach((partition, found) ->
                list.add(Map.of("partition", partition.partition(), "offset", found.offset(), "timestamp", found.timestamp())));
        return list;
    }

    private Object configs(ConfigResource resource) throws Exception {
        Map<String, String> map = new LinkedHashMap<>();
        for (ConfigEntry entry : config(resource).entries()) map.put(entry.name(), entry.value());
        return map;
    }

    private Object sources(ConfigResource resource) throws Exception {
        Map<String, Object> map = new LinkedHashMap<>();
        for (ConfigEntry entry : config(resource).entries()) {
            map.put(entry.name(), Map.of("source", entry.source().name(), "type", entry.type().name(),
                    "synonyms", entry.synonyms().size(), "documented", entry.documentation() != null));
        }
        return map;
    }

    private Config config(ConfigResource resource) throws Exception {
        DescribeConfigsOptions options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
        return admin.describeConfigs(List.of(resource), options).all().get().get(resource);
    }

    private Object alterConfig(ConfigResource resource) throws Exception {
        Collection<AlterConfigOp> ops = new ArrayList<>();
        call.path("configs").fields().forEachRemaining((one) -> ops.add(
                new AlterConfigOp(new ConfigEntry(one.getKey(), one.getValue().asText()), AlterConfigOp.OpType.SET)));
        for (JsonNode name : call.path("remove")) {
            ops.add(new AlterConfigOp(new ConfigEntry(name.asText(), null), AlterConfigOp.OpType.DELETE));
        }
        return admin.incrementalAlterConfigs(Map.of(resource, ops)).all().get();
    }

    private Object describeCluster() throws Exception {
        var found = admin.describeCluster();
        return Map.of("id", found.clusterId().get(), "controller", found.controller().get().id(),
                "brokers", found.nodes().get().stream().map((one) -> one.id()).collect(Collectors.toList()));
    }

    private Object describeGroup() throws Exception {
        ConsumerGroupDescription found = admin.describeConsumerGroups(List.of(group())).all().get().get(group());
        return Map.of("state", found.state().toString(), "assignor", found.partitionAssignor(),
                "members", found.members().stream().map((one) -> Map.of("memberId", one.consumerId(),
                        "clientId", one.clientId(), "instance", one.groupInstanceId().orElse(""),
                        "partitions", one.assignment().topicPartitions().stream().map(Object::toString).sorted()
                                .collect(Collectors.toList()))).collect(Collectors.toList()));
    }

    private Object groupOffsets() throws Exception {
        List<Map<String, Object>> list = new ArrayList<>();
        admin.listConsumerGroupOffsets(group()).partitionsToOffsetAndMetadata().get().forEach((partition, offset) -> list.add(
                Map.of("topic", partition.topic(), "partition", partition.partition(), "offset", offset.offset())));
        return list;
    }

    private Map<TopicPartition, OffsetAndMetadata> offsetsGiven() {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (JsonNode one : call.get("offsets")) {
            offsets.put(new TopicPartition(topic(), one.get("partition").asInt()), new OffsetAndMetadata(one.get("offset").asLong()));
        }
        return offsets;
    }

    private Object elect() throws Exception {
        Map<String, Object> map = new LinkedHashMap<>();
        admin.electLeaders(ElectionType.PREFERRED, new HashSet<>(List.of(place()))).partitions().get().forEach((partition, error) ->
                map.put(partition.toString(), error.map((one) -> one.getClass().getSimpleName()).orElse(null)));
        return map;
    }

    private Object logDirs() throws Exception {
        List<Map<String, Object>> list = new ArrayList<>();
        int broker = admin.describeCluster().nodes().get().iterator().next().id();
        Map<String, LogDirDescription> found = admin.describeLogDirs(List.of(broker)).allDescriptions().get().get(broker);
        found.forEach((path, dir) -> {
            Map<String, Long> sizes = new LinkedHashMap<>();
            dir.replicaInfos().forEach((partition, info) -> sizes.put(partition.toString(), info.size()));
            list.add(Map.of("path", path, "sizes", sizes, "total", dir.totalBytes().orElse(-1), "usable", dir.usableBytes().orElse(-1)));
        });
        return list;
    }

    private AclBinding acl() {
        return new AclBinding(new ResourcePattern(ResourceType.TOPIC, topic(), PatternType.LITERAL),
                new AccessControlEntry("User:someone", "*", AclOperation.READ, AclPermissionType.ALLOW));
    }

    private Object quorum() throws Exception {
        QuorumInfo found = admin.describeMetadataQuorum().quorumInfo().get();
        return Map.of("leader", found.leaderId(), "voters", found.voters().stream().map((one) -> one.replicaId()).collect(Collectors.toList()));
    }

    private Object features() throws Exception {
        FeatureMetadata found = admin.describeFeatures().featureMetadata().get();
        return found.finalizedFeatures().keySet();
    }
}
