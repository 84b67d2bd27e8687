import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The Java client as the tests drive it, and its tools within this process (Tools). See clients/program.ts. */
public class Client {
    static final ObjectMapper json = new ObjectMapper();
    static final PrintStream mouth = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    static final Map<String, Member> members = new ConcurrentHashMap<>();

    static synchronized void say(Map<String, ?> message) {
        try {
            mouth.println(json.writeValueAsString(message));
        } catch (Exception error) {
            error.printStackTrace();
        }
    }

    static String now() {
        return Long.toString(System.nanoTime());
    }

    public static void main(String[] args) throws Exception {
        // Whatever a library prints must not stand among the answers.
        Tools.listen();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonNode call = json.readTree(line);
            Thread worker = new Thread(() -> answer(call));
            worker.setDaemon(true);
            worker.start();
        }
        for (String member : new ArrayList<>(members.keySet())) leave(member);
        System.err.flush();
        Runtime.getRuntime().halt(0);
    }

    static void answer(JsonNode call) {
        Map<String, Object> said = new LinkedHashMap<>();
        said.put("id", call.get("id").asInt());
        try {
            said.put("ok", run(call));
        } catch (Throwable error) {
            said.put("error", inWords(error));
        }
        say(said);
    }

    static String inWords(Throwable error) {
        if (error instanceof ExecutionException && error.getCause() != null) return inWords(error.getCause());
        String own = error.getClass().getSimpleName() + ": " + error.getMessage();
        return error.getCause() == null ? own : own + " <- " + inWords(error.getCause());
    }

    static Object run(JsonNode call) throws Exception {
        switch (call.get("call").asText()) {
            case "produce":
                return produce(call);
            case "consume":
                return consume(call);
            case "join":
                return join(call);
            case "leave":
                return leave(call.get("member").asText());
            case "admin":
                return AdminCalls.run(call);
            case "tool":
                return Tools.run(call);
            default:
                throw new IllegalArgumentException("no such call: " + call.get("call"));
        }
    }

    static Properties common(JsonNode call) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", call.get("bootstrap").asText());
        properties.put("reconnect.backoff.ms", "20");
        properties.put("reconnect.backoff.max.ms", "200");
        return properties;
    }

    static Object produce(JsonNode call) throws Exception {
        boolean patient = call.path("patient").asBoolean(false);
        boolean idempotent = call.path("idempotent").asBoolean(false);
        int perBatch = call.path("perBatch").asInt(Integer.MAX_VALUE);
        Properties properties = common(call);
        properties.put("acks", call.path("acks").asText("all"));
        properties.put("compression.type", call.path("codec").asText("none"));
        properties.put("enable.idempotence", String.valueOf(idempotent));
        properties.put("linger.ms", "20");
        properties.put("max.request.size", "4000000");
        properties.put("delivery.timeout.ms", patient ? "300000" : "60000");
        properties.put("request.timeout.ms", "10000");
        properties.put("retry.backoff.ms", "20");
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
            List<Future<RecordMetadata>> sends = new ArrayList<>();
            for (JsonNode record : call.get("records")) {
                ProducerRecord<String, String> one = new ProducerRecord<>(
                        call.get("topic").asText(),
                        record.get("partition").asInt(),
                        record.hasNonNull("timestamp") ? record.get("timestamp").asLong() : null,
                        textOf(record.get("key")),
                        textOf(record.get("value")));
                for (JsonNode header : record.path("headers")) {
                    String value = textOf(header.get(1));
                    one.headers().add(header.get(0).asText(), value == null ? null : value.getBytes(StandardCharsets.UTF_8));
                }
                sends.add(producer.send(one));
                if (sends.size() % perBatch == 0) producer.flush();
            }
            producer.flush();
            for (Future<RecordMetadata> send : sends) send.get();
        }
        return null;
    }

    static String textOf(JsonNode node) {
        return node == null || node.isNull() ? null : node.asText();
    }

    static Object consume(JsonNode call) {
        Properties properties = common(call);
        properties.put("enable.auto.commit", "false");
        properties.put("max.partition.fetch.bytes", "4000000");
        properties.put("fetch.max.wait.ms", "100");
        int count = call.get("count").asInt();
        List<Map<String, Object>> found = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (int one = 0; one < call.get("partitions").asInt(); one++) {
                partitions.add(new TopicPartition(call.get("topic").asText(), one));
            }
            consumer.assign(partitions);
            JsonNode from = call.get("from");
            if (from.isTextual()) consumer.seekToBeginning(partitions);
            else seekToTime(consumer, partitions, from.get("timestamp").asLong());
            long deadline = System.currentTimeMillis() + 100_000;
            while (found.size() < count && System.currentTimeMillis() < deadline) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) found.add(toMap(record));
            }
        }
        return found;
    }

    static void seekToTime(Consumer<String, String> consumer, List<TopicPartition> partitions, long timestamp) {
        Map<TopicPartition, Long> times = new HashMap<>();
        for (TopicPartition partition : partitions) times.put(partition, timestamp);
        for (Map.Entry<TopicPartition, OffsetAndTimestamp> place : consumer.offsetsForTimes(times).entrySet()) {
            if (place.getValue() == null) consumer.seekToEnd(List.of(place.getKey()));
            else consumer.seek(place.getKey(), place.getValue().offset());
        }
    }

    static Map<String, Object> toMap(ConsumerRecord<String, String> record) {
        List<List<String>> headers = new ArrayList<>();
        for (Header header : record.headers()) {
            List<String> pair = new ArrayList<>();
            pair.add(header.key());
            pair.add(header.value() == null ? null : new String(header.value(), StandardCharsets.UTF_8));
            headers.add(pair);
        }
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("partition", record.partition());
        map.put("offset", record.offset());
        map.put("key", record.key());
        map.put("value", record.value());
        map.put("headers", headers);
        map.put("timestamp", record.timestamp());
        return map;
    }

    static Object join(JsonNode call) {
        Member member = new Member(call);
        members.put(member.name, member);
        member.start();
        return null;
    }

    static Object leave(String name) throws InterruptedException {
        Member member = members.remove(name);
        if (member != null) {
            member.stopped = true;
            member.consumer.wakeup();
            member.join(30_000);
        }
        return null;
    }

    /** One consumer in a thread: hands records out in small portions and commits after each. */
    static class Member extends Thread implements ConsumerRebalanceListener {
        static final Map<String, String> assignors = Map.of(
                "range", "RangeAssignor", "roundrobin", "RoundRobinAssignor",
                "sticky", "StickyAssignor", "cooperative", "CooperativeStickyAssignor");
        static final Map<String, String> ofTheBroker = Map.of("uniform", "uniform", "broker-range", "range");
        final String name;
        final String pattern;
        final List<String> topics = new ArrayList<>();
        final Consumer<String, String> consumer;
        final Map<TopicPartition, OffsetAndMetadata> uncommitted = new HashMap<>();
        volatile boolean stopped = false;

        Member(JsonNode call) {
            name = call.get("member").asText();
            for (JsonNode topic : call.get("topics")) topics.add(topic.asText());
            Properties properties = common(call);
            properties.put("group.id", call.get("group").asText());
            properties.put("client.id", name);
            String assignor = call.get("assignor").asText();
            if (ofTheBroker.containsKey(assignor)) {
                properties.put("group.protocol", "consumer");
                properties.put("group.remote.assignor", ofTheBroker.get(assignor));
            } else {
                properties.put("partition.assignment.strategy",
                        "org.apache.kafka.clients.consumer." + assignors.get(assignor));
                properties.put("session.timeout.ms", String.valueOf(call.path("sessionMs").asInt(10_000)));
                properties.put("heartbeat.interval.ms", "500");
            }
            pattern = call.path("pattern").asText("");
            properties.put("max.poll.interval.ms", "30000");
            properties.put("max.poll.records", "20");
            properties.put("auto.offset.reset", "earliest");
            properties.put("enable.auto.commit", "false");
            properties.put("fetch.max.wait.ms", "100");
            if (call.hasNonNull("instance")) properties.put("group.instance.id", call.get("instance").asText());
            consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
            setDaemon(true);
        }

        @Override
        public void run() {
            try {
                if (pattern.isEmpty()) consumer.subscribe(topics, this);
                else subscribeByPattern();
                while (!stopped) work(consumer.poll(Duration.ofMillis(100)));
            } catch (WakeupException woken) {
                // It is to leave.
            } catch (Throwable error) {
                tell("failed", now(), "message", inWords(error));
            } finally {
                consumer.close();
            }
        }

        /** Kafka 3 has no such subscription. */
        void subscribeByPattern() throws ReflectiveOperationException {
            Class<?> type = Class.forName("org.apache.kafka.clients.consumer.SubscriptionPattern");
            Object made = type.getConstructor(String.class).newInstance(pattern);
            Consumer.class.getMethod("subscribe", type, ConsumerRebalanceListener.class).invoke(consumer, made, this);
        }

        void work(ConsumerRecords<String, String> polled) {
            String at = now();
            List<Map<String, Object>> records = new ArrayList<>();
            for (ConsumerRecord<String, String> record : polled) {
                Map<String, Object> map = place(record.topic(), record.partition());
                map.put("offset", record.offset());
                map.put("value", record.value());
                records.add(map);
                uncommitted.put(new TopicPartition(record.topic(), record.partition()),
                        new OffsetAndMetadata(record.offset() + 1));
            }
            if (!records.isEmpty()) tell("records", at, "records", records);
            if (!uncommitted.isEmpty()) commit();
        }

        void commit() {
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>(uncommitted);
            try {
                consumer.commitSync(offsets, Duration.ofSeconds(10));
            } catch (RebalanceInProgressException | CommitFailedException | TimeoutException error) {
                // Tried again, unless the partition goes to another member, which gets the records again.
                System.err.println(name + ": commit failed: " + error);
                return;
            }
            List<Map<String, Object>> done = new ArrayList<>();
            offsets.forEach((partition, offset) -> {
                uncommitted.remove(partition);
                Map<String, Object> map = place(partition.topic(), partition.partition());
                map.put("offset", offset.offset());
                done.add(map);
            });
            tell("committed", now(), "offsets", done);
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> added) {
            Set<String> sorted = new TreeSet<>();
            List<Map<String, Object>> all = new ArrayList<>();
            for (TopicPartition partition : consumer.assignment()) {
                if (sorted.add(partition.toString())) all.add(place(partition.topic(), partition.partition()));
            }
            tell("assigned", now(), "partitions", all);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> gone) {
            List<Map<String, Object>> all = new ArrayList<>();
            for (TopicPartition partition : gone) {
                uncommitted.remove(partition);
                all.add(place(partition.topic(), partition.partition()));
            }
            tell("revoked", now(), "partitions", all);
        }

        Map<String, Object> place(String topic, int partition) {
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("topic", topic);
            map.put("partition", partition);
            return map;
        }

        void tell(String on, String at, String what, Object value) {
            Map<String, Object> event = new LinkedHashMap<>();
            event.put("member", name);
            event.put("on", on);
            event.put("at", at);
            event.put(what, value);
            say(event);
        }
    }
}
