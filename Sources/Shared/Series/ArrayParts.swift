/// Where arrays begin and end that were joined to one, as PostgreSQL counts: `(joined)[first:last]` is each of them again. A statement
/// for all of them costs a fraction of one for each.
package struct ArrayParts: Sendable {
    package let firsts: [Int32]
    package let lasts: [Int32]

    package init(_ counts: [Int]) {
        var end: Int32 = 0
        lasts = counts.map { count in
            end += Int32(count)
            return end
        }
        firsts = zip(lasts, counts).map { $0 - Int32($1) + 1 }
    }
}
