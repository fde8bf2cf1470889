package mapping

// Type is what a shown entry is, by the name that the attribute user.type has.
type Type string

// The types of JSON values, of values that are none, and of plain directories.
const (
	Object    Type = "object"
	Array     Type = "array"
	String    Type = "string"
	Number    Type = "number"
	Boolean   Type = "boolean"
	Null      Type = "null"
	Raw       Type = "raw"
	Directory Type = "directory" // a directory of keys that is not a document
)

// kind is a Type in one byte; the zero kind is a value nobody has looked at.
type kind uint8

const (
	kindUnknown kind = iota
	kindRaw
	kindNull
	kindBoolean
	kindNumber
	kindString
	kindArray
	kindObject
)

func (k kind) container() bool { return k >= kindArray }

func (k kind) typ() Type {
	switch k {
	case kindNull:
		return Null
	case kindBoolean:
		return Boolean
	case kindNumber:
		return Number
	case kindString:
		return String
	case kindArray:
		return Array
	case kindObject:
		return Object
	default:
		return Raw
	}
}

// kindAt tells the kind of valid JSON from its first byte.
func kindAt(c byte) kind {
	switch c {
	case '{':
		return kindObject
	case '[':
		return kindArray
	case '"':
		return kindString
	case 't', 'f':
		return kindBoolean
	case 'n':
		return kindNull
	default:
		return kindNumber
	}
}
