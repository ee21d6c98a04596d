import Foundation
import NIOCore
import Shared

/// What a body says beside its fields' values.
extension JSONBody {
    /// What a resource is once this is merged into it (RFC 7396), to be read like one that is sent whole.
    ///
    /// - Parameter forgotten: fields that what is sent makes void, though it does not say so.
    func merged(into resource: some PartlyLive, without forgotten: [String] = []) -> JSONBody {
        var json = JSONWriter()
        resource.write(editedTo: &json)
        var whole = self
        whole.fields = StrictJSON.members(of: Array(json.buffer.readableBytesView)) ?? [:]
        for name in forgotten { whole.fields[name] = nil }
        for (name, patch) in fields {
            whole.fields[name] = JSONMerge.apply(patch, to: whole.fields[name])
        }
        return whole
    }

    /// Whether an object that is sent has this member.
    func names(_ member: String, in name: String) -> Bool {
        fields[name].flatMap { StrictJSON.members(of: Array($0)) }?[member] != nil
    }

    /// Takes what stands already where nothing is said.
    mutating func keep(_ name: String, _ standing: String?) {
        guard fields[name] == nil, let standing else { return }
        var json = JSONWriter()
        json.string(standing)
        fields[name] = Array(json.buffer.readableBytesView)[...]
    }

    /// The id that a field holds, without reading it: nil too for what is none.
    func peek(_ name: String) -> UUID? {
        fields[name].flatMap { decoded(String.self, $0) }.flatMap(UUID.init(uuidString:))
    }

    /// Holds what is sent within an object against rules, without taking it.
    ///
    /// - Parameter isRefused: whether something else than an object is a fault; false where whoever takes it says so.
    mutating func inspect(_ name: String, isRefused: Bool = true, _ check: (inout JSONBody) -> Void) {
        var copy = self
        guard let value = copy.take(name) else { return }
        guard let members = StrictJSON.members(of: Array(value)) else {
            if isRefused { refuse(name, "wrong_type", "Must be an object.") }
            return
        }
        var inner = JSONBody(members, at: "\(path)\(name).")
        check(&inner)
        faults += inner.faults
    }
}
