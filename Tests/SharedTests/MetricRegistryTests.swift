import Foundation
import Shared
import Testing

struct MetricRegistryTests {
    @Test func countsOfManyTasksAddUp() async {
        let registry = MetricRegistry()
        let counter = registry.counter("pulsegate_a_total", help: "A.")
        let gauge = registry.gauge("pulsegate_b", help: "B.")
        let histogram = registry.histogram("pulsegate_c_seconds", help: "C.", bounds: [1])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        counter.increment(by: 2)
                        gauge.add(0.5)
                        histogram.observe(0.25)
                    }
                }
            }
        }
        #expect(counter.value == 16_000)
        #expect(gauge.value == 4_000)
        #expect(histogram.count == 8_000)
        #expect(histogram.sum == 2_000)
    }

    @Test func theSameNameAndLabelsAreTheSameMetric() {
        let registry = MetricRegistry()
        let first = registry.counter("pulsegate_a_total", help: "A.", labels: [("outcome", "stored")])
        #expect(first === registry.counter("pulsegate_a_total", help: "A.", labels: [("outcome", "stored")]))
        #expect(first !== registry.counter("pulsegate_a_total", help: "A.", labels: [("outcome", "duplicate")]))
    }

    @Test func expositionIsPrometheusText() {
        let registry = MetricRegistry()
        registry.counter("pulsegate_z_total", help: "Two\nlines, \\ and \"quotes\".", labels: [("a", "x\"y\\z\n")])
            .increment()
        registry.gauge("pulsegate_a", help: "A.").set(1.5)
        registry.gauge("pulsegate_b", help: "B.") { -.infinity }
        let histogram = registry.histogram("pulsegate_h_seconds", help: "H.", labels: [("r", "1")], bounds: [0.1, 1])
        for value in [0.1, 0.5, 2] { histogram.observe(value) }
        histogram.observe(Duration.milliseconds(400))
        #expect(
            registry.exposition() == #"""
                # HELP pulsegate_a A.
                # TYPE pulsegate_a gauge
                pulsegate_a 1.5
                # HELP pulsegate_b B.
                # TYPE pulsegate_b gauge
                pulsegate_b -Inf
                # HELP pulsegate_h_seconds H.
                # TYPE pulsegate_h_seconds histogram
                pulsegate_h_seconds_bucket{r="1",le="0.1"} 1
                pulsegate_h_seconds_bucket{r="1",le="1"} 3
                pulsegate_h_seconds_bucket{r="1",le="+Inf"} 4
                pulsegate_h_seconds_sum{r="1"} 3
                pulsegate_h_seconds_count{r="1"} 4
                # HELP pulsegate_z_total Two\nlines, \\ and "quotes".
                # TYPE pulsegate_z_total counter
                pulsegate_z_total{a="x\"y\\z\n"} 1

                """#)
    }

    @Test func cardinalityIsBounded() {
        let registry = MetricRegistry()
        for number in 0..<3_000 {
            registry.counter("pulsegate_a_total", help: "A.", labels: [("id", "\(number)")]).increment()
        }
        let lines = registry.exposition().split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.count == 2_001)
        #expect(lines.contains(#"pulsegate_a_total{id="other"} 1000"#))
    }

    @Test func theProcessTellsOfItself() throws {
        let registry = MetricRegistry()
        registry.registerProcessMetrics()
        let lines = registry.exposition().split(separator: "\n").filter { !$0.hasPrefix("#") }
        let values = Dictionary(
            uniqueKeysWithValues: lines.compactMap { line -> (Substring, Double)? in
                let parts = line.split(separator: " ")
                return Double(parts[1]).map { (parts[0], $0) }
            })
        #expect(values["pulsegate_build_info{version=\"\(BuildInfo.version)\"}"] == 1)
        #expect(try #require(values["process_resident_memory_bytes"]) > 1_000_000)
        #expect(try #require(values["process_cpu_seconds_total"]) > 0)
        #expect(try #require(values["process_open_fds"]) >= 3)
        #expect(try #require(values["process_max_fds"]) >= 64)
        let start = try #require(values["process_start_time_seconds"])
        #expect(start <= Date().timeIntervalSince1970 + 1 && start > Date().timeIntervalSince1970 - 86_400)
    }
}
