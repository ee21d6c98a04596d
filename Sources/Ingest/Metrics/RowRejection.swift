/// A row of a batch that was not taken, and why.
struct RowRejection: Sendable, Equatable {
    /// The row's place in the request's `metrics`, from 0.
    var index: Int
    var code: Code

    /// For people. Never holds anything of the request.
    var detail: String { code.detail }

    /// The names clients see; they don't change.
    enum Code: String, Sendable, CaseIterable {
        case rowNotObject = "row_not_object"
        case stringInvalid = "string_invalid"
        case nameInvalid = "name_invalid"
        case valueNotFinite = "value_not_finite"
        case valueInvalid = "value_invalid"
        case labelsInvalid = "labels_invalid"
        case tooManyLabels = "too_many_labels"
        case labelKeyInvalid = "label_key_invalid"
        case labelValueTooLong = "label_value_too_long"
        case nulCharacter = "nul_character"
        case timeInvalid = "ts_invalid"
        case timeTooOld = "ts_too_old"
        case timeTooNew = "ts_too_new"
        case seriesLimit = "series_limit"

        var detail: String {
            switch self {
            case .rowNotObject: "A metric is an object."
            case .stringInvalid: "A string has an unknown escape or half a surrogate pair."
            case .nameInvalid: "name must match ^[A-Za-z_][A-Za-z0-9_.:/-]{0,127}$."
            case .valueNotFinite: "value has no finite double."
            case .valueInvalid: "value must be a number or a boolean."
            case .labelsInvalid: "labels must be an object of strings, each key once."
            case .tooManyLabels: "At most \(MetricBatch.maxLabels) labels."
            case .labelKeyInvalid: "A label key must match ^[A-Za-z_][A-Za-z0-9_.:/-]{0,63}$."
            case .labelValueTooLong: "A label value has at most \(MetricBatch.maxLabelValueBytes) bytes."
            case .nulCharacter: "Strings can't hold U+0000."
            case .timeInvalid: "ts must be RFC 3339 or epoch milliseconds."
            case .timeTooOld: "ts is older than the tenant's retention."
            case .timeTooNew: "ts is too far ahead."
            case .seriesLimit: "The plan's number of series is used up."
            }
        }
    }
}
