/// Lays a statement's parameters out as libpq wants them: arrays of pointers, lengths and formats.
struct ParameterScratch {
    private var pointers: [UnsafePointer<CChar>?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []
    private var copy: [UInt8] = []

    /// The protocol counts parameters in 16 bits.
    static let limit = 65_535
    /// More parameters than this are copied into one buffer instead of being pinned one inside the other on the stack.
    private static let pinned = 48

    typealias Body<Value> = (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>, UnsafePointer<Int32>) -> Value

    mutating func withPointers<Value>(_ parameters: [Parameter], _ body: Body<Value>) -> Value {
        pointers.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        while formats.count < parameters.count { formats.append(1) }
        for parameter in parameters { lengths.append(Int32(parameter.bytes?.count ?? 0)) }
        guard parameters.count > Self.pinned else { return pin(parameters, from: 0, body) }
        return withCopies(of: parameters, body)
    }

    /// Holds each parameter's own bytes in place until the last is held; libpq copies them into its send buffer.
    private mutating func pin<Value>(_ parameters: [Parameter], from index: Int, _ body: Body<Value>) -> Value {
        guard index < parameters.count else { return body(pointers, lengths, formats) }
        guard let bytes = parameters[index].bytes else {
            pointers.append(nil)
            return pin(parameters, from: index + 1, body)
        }
        return bytes.withUnsafeBytes { raw in
            pointers.append(Self.nonNil(raw))
            return pin(parameters, from: index + 1, body)
        }
    }

    private mutating func withCopies<Value>(of parameters: [Parameter], _ body: Body<Value>) -> Value {
        copy.removeAll(keepingCapacity: true)
        for parameter in parameters { copy.append(contentsOf: parameter.bytes ?? []) }
        return copy.withUnsafeBytes { raw in
            var start = Self.nonNil(raw)
            for parameter in parameters {
                pointers.append(parameter.bytes == nil ? nil : start)
                start += parameter.bytes?.count ?? 0
            }
            return body(pointers, lengths, formats)
        }
    }

    /// An empty array has no address, but to libpq no address means NULL.
    private static func nonNil(_ raw: UnsafeRawBufferPointer) -> UnsafePointer<CChar> {
        guard let base = raw.baseAddress else { return emptyBytes }
        return base.assumingMemoryBound(to: CChar.self)
    }

    nonisolated(unsafe) private static let emptyBytes: UnsafePointer<CChar> = {
        let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        byte.initialize(to: 0)
        return UnsafePointer(byte)
    }()
}
