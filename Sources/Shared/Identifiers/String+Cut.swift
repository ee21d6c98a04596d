extension String {
    /// The first so many characters as PostgreSQL counts them, which is by code point: one that people see may have several.
    package func cut(to length: Int) -> String {
        String(String.UnicodeScalarView(unicodeScalars.prefix(length)))
    }
}
