import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Exit;

/**
 * Kafka's command line tools within this process, one at a time, as a process of their own would run them: their output
 * is caught, the first exit is the end, and what they hooked to the end of the process is run then.
 */
class Tools {
    /** The end of a tool that asked the process to end. */
    static class Ended extends RuntimeException {
        Ended(int code) {
            super("exit " + code, null, false, false);
        }
    }

    /** A stream whose target changes: what is written in Scala keeps the System.out of its first use for ever. */
    static class Outlet extends OutputStream {
        private final OutputStream usual;
        private volatile OutputStream target;

        Outlet(OutputStream usual) {
            this.usual = usual;
            this.target = usual;
        }

        ByteArrayOutputStream divert() {
            ByteArrayOutputStream caught = new ByteArrayOutputStream();
            target = caught;
            return caught;
        }

        void restore() {
            target = usual;
        }

        @Override
        public void write(int one) throws IOException {
            target.write(one);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            target.write(bytes, from, length);
        }

        @Override
        public void flush() throws IOException {
            target.flush();
        }
    }

    private static final PrintStream err = System.err;
    private static final Outlet printed = new Outlet(err);
    private static final Outlet complained = new Outlet(err);

    /** Takes over System.out and System.err; until a tool runs, both lead to the process's stderr. */
    static void listen() {
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(complained, true, StandardCharsets.UTF_8));
    }

    /** `{ main, args, input }` to `{ code, output, errors }`. */
    static synchronized Object run(JsonNode call) throws Exception {
        List<String> args = new ArrayList<>();
        for (JsonNode arg : call.get("args")) args.add(arg.asText());
        List<Runnable> atEnd = new ArrayList<>();
        List<Integer> codes = new ArrayList<>();
        Exit.Procedure end = (code, message) -> {
            codes.add(code);
            throw new Ended(code);
        };
        Exit.setExitProcedure(end);
        Exit.setHaltProcedure(end);
        Exit.setShutdownHookAdder((name, hook) -> atEnd.add(hook));
        System.setIn(new ByteArrayInputStream(call.path("input").asText("").getBytes(StandardCharsets.UTF_8)));
        ByteArrayOutputStream output = printed.divert();
        ByteArrayOutputStream errors = complained.divert();
        try {
            main(call.get("main").asText(), args, codes);
            for (Runnable hook : atEnd) hook.run();
        } catch (Ended ended) {
            // A hook's exit comes too late to say how it ended.
        } finally {
            printed.restore();
            complained.restore();
            Exit.resetExitProcedure();
            Exit.resetHaltProcedure();
            Exit.resetShutdownHookAdder();
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("code", codes.isEmpty() ? 0 : codes.get(0));
        result.put("output", output.toString(StandardCharsets.UTF_8));
        result.put("errors", errors.toString(StandardCharsets.UTF_8));
        return result;
    }

    private static void main(String name, List<String> args, List<Integer> codes) throws Exception {
        try {
            Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) args.toArray(new String[0]));
        } catch (InvocationTargetException wrapped) {
            if (wrapped.getCause() instanceof Ended) return;
            // What the JVM does with an exception that leaves main.
            wrapped.getCause().printStackTrace();
            codes.add(1);
        }
    }
}
