import Shared
import Support
import Testing

@testable import Ingest

struct IngestSettingsReferenceTests {
    /// `config/ingest.md` is what the declarations say. After a change: `UPDATE_REFERENCE=1 make test`.
    @Test func theReferenceIsInStep() throws {
        let expected = SettingsReference.markdown("pulsegate-ingest", IngestSettings.declarations)
        #expect(try SettingsReferenceFile.text("ingest.md", expected: expected) == expected)
    }
}
