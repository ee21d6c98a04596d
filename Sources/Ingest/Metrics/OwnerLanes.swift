import ServiceLifecycle
import Shared

/// Batchers of one lane each, among which owners are spread. A transaction holds its owners' order (``OwnerOrder``), so two lanes
/// of one batcher would wait for each other wherever they had an owner in common.
final class OwnerLanes: Service {
    typealias Lane = Batcher<MetricRecord, MetricOutcome>

    private let lanes: [Lane]

    /// - Parameter limits: of a group, and of all that waits in all lanes.
    init(count: Int, limits: GroupQueue<MetricRecord>.Limits, write: @escaping Lane.Writer) {
        let own = GroupQueue<MetricRecord>.Limits(
            groupCost: limits.groupCost, queueCost: max(1, limits.queueCost / count))
        lanes = (0..<count).map { _ in Lane(lanes: 1, limits: own, write: write) }
    }

    /// What waits in all lanes, in the measure of the limits.
    var waitingCost: Int { lanes.reduce(0) { $0 + $1.waitingCost } }

    /// See ``Batcher/submit(_:cost:)``.
    func submit(_ record: MetricRecord, cost: Int) async throws -> MetricOutcome {
        // Owners' numbers are drawn one after the other, so their remainders spread.
        let lane = Int(record.owner.magnitude &+ record.tenant.rawValue.magnitude) % lanes.count
        return try await lanes[lane].submit(record, cost: cost)
    }

    func run() async throws {
        await withThrowingTaskGroup(of: Void.self) { group in
            for lane in lanes { group.addTask { try await lane.run() } }
        }
    }
}
