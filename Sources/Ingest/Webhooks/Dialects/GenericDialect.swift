import Postgres

/// The dialect for senders that can choose: one uplink, or `{"uplinks":[…]}`.
struct GenericDialect: Sendable {
    static let maxUplinks = 1_000
    static let maxDataBytes = 1_024
    static let maxReferenceBytes = 128
    /// Values in a body of 1 MiB; a thousand uplinks with 64 leaves each need a third of it.
    static let maxNodes = 262_144

    let parsers: JSONParserPool

    /// - Parameter now: our clock, for uplinks without a time.
    func read(_ body: VerifiedBody, now: Timestamp) throws(DialectFault) -> UplinkReport {
        try parsers.withParser { (parser) throws(DialectFault) in
            let parsed: Result<UplinkReport, DialectFault> = body.bytes.withUnsafeBytes { bytes in
                do throws(JSONFault) {
                    let root = try parser.tree(bytes, maxNodes: Self.maxNodes)
                    return Self.report(root, now: now)
                } catch {
                    return .failure(DialectFault(error))
                }
            }
            return try parsed.get()
        }
    }

    private static func report(_ root: JSONNode, now: Timestamp) -> Result<UplinkReport, DialectFault> {
        guard root.kind == .object else { return .failure(.notObject) }
        guard let list = root["uplinks"] else {
            return .success(UplinkReport(isList: false, uplinks: [GenericUplink.read(root, now: now)]))
        }
        guard list.kind == .array else { return .failure(.notObject) }
        var uplinks: [Result<Uplink, UplinkRejection>] = []
        for element in list.children {
            guard uplinks.count < maxUplinks else { return .failure(.tooManyUplinks) }
            // One after the other: of two readings of one moment only the first would count.
            uplinks.append(GenericUplink.read(element, now: now.adding(microseconds: Int64(uplinks.count))))
        }
        return .success(UplinkReport(isList: true, uplinks: uplinks))
    }
}

/// What a body said, in its order.
struct UplinkReport: Sendable {
    /// Sent as a list, hence to be answered with one.
    var isList: Bool
    var uplinks: [Result<Uplink, UplinkRejection>]
}

/// Why a body was refused as a whole.
enum DialectFault: Error, Equatable {
    /// 400.
    case notJSON
    case tooDeep
    case tooManyUplinks
    /// More values than any number of uplinks needs.
    case tooManyValues
    /// Well-formed, but not of the dialect's shape.
    case notObject
    case outOfMemory

    init(_ fault: JSONFault) {
        switch fault {
        case .notJSON: self = .notJSON
        case .tooDeep: self = .tooDeep
        case .tooMany: self = .tooManyValues
        case .notObject: self = .notObject
        case .outOfMemory: self = .outOfMemory
        }
    }
}
