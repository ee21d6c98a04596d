import NIOCore

/// The blocks of a tape archive (POSIX.1-2017 `pax`, ustar Interchange Format).
enum TarWriter {
    private static let block = 512

    /// - Parameters:
    ///   - name: ASCII, at most 100 characters.
    ///   - modifiedAt: seconds since the Unix epoch.
    static func entry(_ name: String, _ content: ByteBuffer, modifiedAt: Int64) -> ByteBuffer {
        var header = [UInt8](repeating: 0, count: block)
        func put(_ text: String, at offset: Int) {
            header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
        }
        put(String(name.prefix(100)), at: 0)
        put("0000644", at: 100)
        put("0000000", at: 108)
        put("0000000", at: 116)
        put(octal(Int64(content.readableBytes), digits: 11), at: 124)
        put(octal(modifiedAt, digits: 11), at: 136)
        put("        ", at: 148) // the checksum counts as blanks in itself
        put("0", at: 156) // a regular file
        put("ustar\u{0}00", at: 257)
        put(octal(header.reduce(0) { $0 + Int64($1) }, digits: 6) + "\u{0} ", at: 148)
        var entry = ByteBuffer(bytes: header)
        entry.writeImmutableBuffer(content)
        entry.writeRepeatingByte(0, count: (block - content.readableBytes % block) % block)
        return entry
    }

    /// What an archive ends with.
    static let end = ByteBuffer(repeating: 0, count: block * 2)

    private static func octal(_ number: Int64, digits: Int) -> String {
        let text = String(number, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
