import Shared
import Support
import Testing

@testable import Query

struct SettingsReferenceTests {
    /// `config/query.md` is what the declarations say. After a change: `UPDATE_REFERENCE=1 make test`.
    @Test func theReferenceIsInStep() throws {
        let expected = SettingsReference.markdown("pulsegate-query", QuerySettings.declarations)
        #expect(try SettingsReferenceFile.text("query.md", expected: expected) == expected)
    }
}
