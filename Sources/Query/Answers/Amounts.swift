import Postgres
import Shared

/// How much of something: up to three places.
typealias Quantity = FixedDecimal<ThreePlaces>
/// Of some currency: two places.
typealias Money = FixedDecimal<TwoPlaces>

/// A JSON string, as JSON's numbers are floating-point to many who read them: money with both its places, quantities as short as they are.
extension FixedDecimal: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.string(Places.self == TwoPlaces.self ? text : shortText)
    }
}
