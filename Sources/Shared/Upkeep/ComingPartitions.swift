import Postgres

/// Partitions of what comes by the hour must be there before it does.
package enum ComingPartitions {
    private static let parents = ["sample_chunks", "uplinks"]

    /// Those of this period and of the two after it; none is made twice.
    /// - Returns: each with what it is a partition of, in the order in which they are wanted.
    package static func wanted(at now: Timestamp) -> [(parent: String, make: Statement<Bool>)] {
        let thisPeriod = Int32(now.microseconds / SampleChunk.period)
        return parents.flatMap { parent in
            (thisPeriod...thisPeriod + 2).map { period in
                (parent, "SELECT make_partition(\(parent), \(period))" as Statement<Bool>)
            }
        }
    }
}
