import Crypto
import Postgres
import Testing

@testable import Ingest

/// A body that passed its signature: there is no other way to get one.
func verified(_ bytes: [UInt8]) throws -> VerifiedBody {
    let secret = try #require(SecretMaterial(shown: "secret", for: .hmac))
    let code = HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: secret.key))
    let hex = code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    return try SignatureVerifier(authentication: .hmac).verify(
        bytes, headers: { $0 == BodySignature.header ? [hex] : [] }, secrets: [secret], now: arrival
    ).get()
}

let genericDialect = GenericDialect(parsers: JSONParserPool())

func report(_ bytes: [UInt8]) throws -> UplinkReport { try genericDialect.read(try verified(bytes), now: arrival) }

func report(_ text: String) throws -> UplinkReport { try report(Array(text.utf8)) }

/// The one uplink with `members` beside its device_eui.
func uplink(_ members: String = "") throws -> Uplink {
    let comma = members.isEmpty ? "" : ","
    let report = try report(#"{"device_eui":"70B3D57ED0000001"\#(comma)\#(members)}"#)
    return try #require(report.uplinks.first).get()
}

func rejection(_ members: String) throws -> UplinkRejection.Code? {
    do {
        _ = try uplink(members)
        return nil
    } catch let rejection as UplinkRejection {
        return rejection.code
    }
}

func dialectFault(_ text: String) throws -> DialectFault? {
    do {
        _ = try report(text)
        return nil
    } catch let fault as DialectFault {
        return fault
    }
}
