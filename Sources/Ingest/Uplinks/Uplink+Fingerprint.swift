import Foundation
import Postgres

extension Uplink {
    /// The session's name in `device_epochs`: empty where the sender tells nothing of it.
    var reference: String { sessionReference ?? "" }

    /// What of it decides whether it is new.
    var fingerprint: UplinkFingerprint {
        UplinkFingerprint(
            reference: reference, fcnt: Int64(fcnt), fPort: fPort.map(Int16.init), payloadHash: payloadHash,
            networkAt: networkTime, idHash: uplinkID.map(ContentDigest.uuid(of:)))
    }

    /// The numeric or boolean leaf of that name.
    func leaf(_ name: String) -> Double? {
        leaves.first { $0.name == name }?.value
    }

    /// The leaves as a JSON object, kept with an orphan's uplink so that its samples can be made when it is claimed.
    var leavesJSON: String {
        let members = leaves.map { "\"\($0.name)\":\($0.value)" } // names need no escapes, by their grammar
        return "{" + members.joined(separator: ",") + "}"
    }
}

extension ContentDigest {
    static func uuid(of text: String) -> UUID {
        var digest = ContentDigest()
        digest.update(Array(text.utf8))
        return digest.finish()
    }
}
