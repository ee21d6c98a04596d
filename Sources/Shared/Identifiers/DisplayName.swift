/// What people call something: 1 to 200 characters.
package enum DisplayName {
    package static let maxLength = 200

    /// Nothing that controls, turns the direction of what follows, breaks the line, or can't be seen at all.
    package static func isReadable(_ text: String) -> Bool {
        text.contains(/\S/) && !text.contains(/[\p{Cc}\u{2028}-\u{202E}\u{2066}-\u{2069}]/)
    }

    package static func isValid(_ text: String) -> Bool {
        (1...maxLength).contains(text.unicodeScalars.count) && isReadable(text)
    }
}
