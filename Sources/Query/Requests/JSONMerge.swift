import Foundation
import NIOCore
import Shared

/// JSON merge patch (RFC 7396) on JSON as it is written, so that no digit of a number is lost on the way.
enum JSONMerge {
    /// - Parameters:
    ///   - patch: valid JSON; null removes what it is merged into.
    ///   - target: valid JSON; nil for what isn't there.
    static func apply(_ patch: ArraySlice<UInt8>, to target: ArraySlice<UInt8>?) -> ArraySlice<UInt8>? {
        let text = patch.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
        if text.first == UInt8(ascii: "n") { return nil }
        guard text.first == UInt8(ascii: "{"), let changes = StrictJSON.members(of: Array(patch)) else { return patch }
        var members = target.flatMap { StrictJSON.members(of: Array($0)) } ?? [:]
        for (name, change) in changes { members[name] = apply(change, to: members[name]) }
        return write(members)
    }

    private static func write(_ members: [String: ArraySlice<UInt8>]) -> ArraySlice<UInt8> {
        var json = JSONWriter()
        json.raw("{")
        for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { json.raw(",") }
            json.string(member.key)
            json.raw(":")
            json.raw(String(decoding: member.value, as: UTF8.self))
        }
        json.raw("}")
        return Array(json.buffer.readableBytesView)[...]
    }
}
