// A million weak references, table entries or registrations under Java's collectors: what `orinoco weak` measures.
// java -XX:+UseParallelGC -Xmx4g benches/peers/Weak.java [COUNT] [ROUNDS]
//
// Java has no ephemerons: WeakHashMap holds its values strongly, and here they are numbers. Its registrations are phantom
// references with a queue, as java.lang.ref.Cleaner has them.
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.WeakHashMap;

public class Weak {
    static final class Target {
        final long number;
        Target next;
        Target(long number) { this.number = number; }
    }
    static final class Record extends PhantomReference<Target> {
        final long held;
        Record(Target t, ReferenceQueue<Target> q, long held) { super(t, q); this.held = held; }
    }
    static int count, rounds;

    // Processor time of all threads: a shared machine's clock says little.
    static final OperatingSystemMXBean OS = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    static long now() { return OS.getProcessCpuTime(); }
    static double full() {
        long t = now();
        System.gc();
        return (now() - t) / 1e6;
    }
    static double median(double[] xs) { Arrays.sort(xs); return xs[xs.length / 2]; }
    static double per(double ms) { return ms * 1e6 / count; }

    static Object make(String part, Target[] targets) {
        switch (part) {
            case "cells": {
                WeakReference<?>[] cells = new WeakReference<?>[count];
                for (int i = 0; i < count; i++) cells[i] = new WeakReference<>(targets[i]);
                return cells;
            }
            case "ephemerons": {
                WeakHashMap<Target, Integer> map = new WeakHashMap<>();
                for (int i = 0; i < count; i++) map.put(targets[i], i);
                return map;
            }
            case "registrations": {
                ReferenceQueue<Target> queue = new ReferenceQueue<>();
                Set<Record> records = new HashSet<>();
                for (int i = 0; i < count; i++) records.add(new Record(targets[i], queue, i));
                return new Object[] { queue, records };
            }
            default: return "";
        }
    }
    static int look(String part, Object weak, Target[] targets) {
        int n = 0;
        switch (part) {
            case "cells": for (WeakReference<?> c : (WeakReference<?>[]) weak) n += c.get() != null ? 1 : 0; return n;
            case "ephemerons": for (Target t : targets) n += ((WeakHashMap<?, ?>) weak).get(t) != null ? 1 : 0; return n;
            default: return count;
        }
    }
    static double[] measure(String part) {
        Target[] targets = new Target[count];
        for (int i = 0; i < count; i++) targets[i] = new Target(i);
        full(); full();
        long t = now();
        Object weak = make(part, targets);
        double made = (now() - t) / 1e6;
        full(); full();
        t = now();
        if (look(part, weak, targets) != count) throw new IllegalStateException("something died");
        double looked = (now() - t) / 1e6;
        double[] fulls = new double[rounds];
        for (int i = 0; i < rounds; i++) fulls[i] = full();
        for (int i = 1; i < count; i += 2) targets[i] = null;
        double dying = full();
        if (targets[0] == null || weak == null) throw new IllegalStateException("kept");
        return new double[] { per(made), per(looked), median(fulls), dying };
    }
    public static void main(String[] args) {
        count = args.length > 0 ? Integer.parseInt(args[0]) : 1_000_000;
        rounds = args.length > 1 ? Integer.parseInt(args[1]) : 5;
        System.out.printf("java %s: %d targets; collections in milliseconds, all of processor time%n", System.getProperty("java.version"), count);
        System.out.println("part            make ns  look ns      full     dying   full, more than bare: ns each");
        double bare = 0;
        for (String part : new String[] { "(targets)", "cells", "ephemerons", "registrations" }) {
            double[] f = measure(part);
            if (part.equals("(targets)")) bare = f[2];
            System.out.printf("%-14s %8.1f %8.1f %9.1f %9.1f %14.1f%n", part, f[0], f[1], f[2], f[3], per(Math.max(0, f[2] - bare)));
        }
    }
}
