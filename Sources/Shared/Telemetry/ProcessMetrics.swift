import Foundation

/// What this build is.
package enum BuildInfo {
    package static let version = "0.1.0"
}

extension MetricRegistry {
    /// The build, and the standard `process_…` metrics that dashboards of Prometheus expect, read from `/proc`.
    package func registerProcessMetrics() {
        gauge(
            "pulsegate_build_info", help: "Always 1; the labels tell the build.",
            labels: [("version", BuildInfo.version)]
        )
        .set(1)
        gauge("process_resident_memory_bytes", help: "Resident memory.") { ProcessReading.residentBytes }
        counter("process_cpu_seconds_total", help: "User and system time.") { ProcessReading.cpuSeconds }
        gauge("process_open_fds", help: "Open file descriptors.") { ProcessReading.openDescriptors }
        gauge("process_max_fds", help: "Most file descriptors that may be open.") { ProcessReading.maxDescriptors }
        gauge("process_start_time_seconds", help: "Start of the process, since the Unix epoch.")
            .set(
                (Date().timeIntervalSince1970 - ProcessInfo.processInfo.systemUptime + ProcessReading.startedAfterBoot)
                    .rounded())
    }
}

/// Figures of this process; NaN where the system does not tell.
private enum ProcessReading {
    static var residentBytes: Double {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return .nan }
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Double(fields[1]) else { return .nan }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    static var cpuSeconds: Double {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return .nan }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    static var openDescriptors: Double {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") else { return .nan }
        return Double(names.count)
    }

    static var maxDescriptors: Double {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .nan }
        return Double(limit.rlim_cur)
    }

    /// Seconds from the start of the system to that of this process; NaN when `/proc` can't be read.
    static var startedAfterBoot: Double {
        guard let text = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
            let name = text.lastIndex(of: ")") // the name may hold spaces and parentheses
        else { return .nan }
        let fields = text[text.index(after: name)...].split(separator: " ")
        guard fields.count > 19, let ticks = Double(fields[19]) else { return .nan }
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000
    }
}
