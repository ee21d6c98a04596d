/// The list of a program's settings, as text: made from the declarations, so that it can't be wrong.
package enum SettingsReference {
    /// What `--help` prints.
    package static func help(_ program: String, _ declarations: [any SettingDeclaration]) -> String {
        var text = """
            Usage: \(program) [flags]

            Settings come from flags (--ingest-port 8080), then the environment (INGEST_PORT=8080), then defaults.
            NAME_FILE (or --name-file) reads a setting from a file.


            """
        for declaration in declarations {
            text += "  \(declaration.flag), \(declaration.name)\n      \(declaration.meaning) \(note(declaration))\n"
        }
        return text
    }

    /// A section of the reference in Markdown.
    package static func markdown(_ title: String, _ declarations: [any SettingDeclaration]) -> String {
        var text = "## \(title)\n\n| setting | flag | default | unit | meaning |\n|---|---|---|---|---|\n"
        for declaration in declarations {
            let fallback = declaration.defaultText.map { $0.isEmpty ? "none" : "`\($0)`" } ?? "**required**"
            let secret = declaration.isSecret ? " Secret." : ""
            text += "| `\(declaration.name)` | `\(declaration.flag)` | \(fallback) | \(declaration.unit) |"
            text += " \(declaration.meaning.replacing("|", with: "\\|"))\(secret) |\n"
        }
        return text
    }

    private static func note(_ declaration: any SettingDeclaration) -> String {
        let unit = declaration.unit.isEmpty ? "" : " \(declaration.unit)"
        return switch declaration.defaultText {
        case nil: "Required."
        case "": "Optional."
        case let text?: "Default: \(text)\(unit)."
        }
    }
}
