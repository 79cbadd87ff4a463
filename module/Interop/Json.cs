using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Runtime.Serialization.Json;
using System.Text;
using System.Xml;

namespace PersistentChatFailover.Interop
{
    /// <summary>
    /// JSON through the framework's own reader and writer: maps, lists, strings, numbers (as decimal), bools, null.
    /// </summary>
    internal static class Json
    {
        /// <summary>Reads a document. A truncated or malformed one is an error, never a part of it.</summary>
        internal static object Read(string text)
        {
            JsonShape.Check(text);
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            try
            {
                using (XmlDictionaryReader reader = JsonReaderWriterFactory.CreateJsonReader(bytes, XmlDictionaryReaderQuotas.Max))
                {
                    reader.MoveToContent();
                    return ReadValue(reader);
                }
            }
            catch (Exception e) when (e is XmlException || e is OverflowException)
            {
                throw new FormatException(e.Message, e);
            }
        }

        private static object ReadValue(XmlDictionaryReader reader)
        {
            string type = reader.GetAttribute("type") ?? "string";
            if (type == "object" || type == "array")
            {
                return ReadChildren(reader, type == "object");
            }
            string text = reader.ReadElementContentAsString();
            switch (type)
            {
                case "null":
                    return null;
                case "boolean":
                    return text == "true";
                case "number":
                    return decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
                default:
                    return text;
            }
        }

        private static object ReadChildren(XmlDictionaryReader reader, bool isObject)
        {
            var map = isObject ? new Dictionary<string, object>(StringComparer.Ordinal) : null;
            var list = isObject ? null : new List<object>();
            bool empty = reader.IsEmptyElement;
            reader.ReadStartElement();
            if (!empty)
            {
                while (reader.MoveToContent() == XmlNodeType.Element)
                {
                    // A name that is no XML name, an empty one among them, travels in the attribute `item`.
                    string name = reader.GetAttribute("item") ?? reader.LocalName;
                    object value = ReadValue(reader);
                    if (isObject)
                    {
                        if (map.ContainsKey(name))
                        {
                            throw new FormatException("the member " + name + " stands there twice");
                        }
                        map.Add(name, value);
                    }
                    else
                    {
                        list.Add(value);
                    }
                }
                reader.ReadEndElement();
            }
            return isObject ? (object)map : list;
        }

        /// <summary>Writes maps, lists, strings, numbers, bools and null.</summary>
        internal static string Write(object value)
        {
            using (var stream = new MemoryStream())
            {
                using (XmlDictionaryWriter writer = JsonReaderWriterFactory.CreateJsonWriter(stream, new UTF8Encoding(false)))
                {
                    writer.WriteStartElement("root");
                    WriteValue(writer, value);
                    writer.WriteEndElement();
                }
                return Encoding.UTF8.GetString(stream.ToArray());
            }
        }

        /// <summary>The same document without letters beyond ASCII, which no shell's file encoding can spoil.</summary>
        internal static string Ascii(string document)
        {
            var text = new StringBuilder(document.Length);
            foreach (char letter in document)
            {
                if (letter < 0x80)
                {
                    text.Append(letter);
                }
                else
                {
                    text.Append("\\u").Append(((int)letter).ToString("x4", CultureInfo.InvariantCulture));
                }
            }
            return text.ToString();
        }

        private static void WriteValue(XmlDictionaryWriter writer, object value)
        {
            if (value == null)
            {
                writer.WriteAttributeString("type", "null");
            }
            else if (value is string)
            {
                writer.WriteAttributeString("type", "string");
                writer.WriteString((string)value);
            }
            else if (value is bool)
            {
                writer.WriteAttributeString("type", "boolean");
                writer.WriteString((bool)value ? "true" : "false");
            }
            else if (value is IDictionary)
            {
                writer.WriteAttributeString("type", "object");
                foreach (DictionaryEntry entry in (IDictionary)value)
                {
                    WriteMember(writer, Convert.ToString(entry.Key, CultureInfo.InvariantCulture), entry.Value);
                }
            }
            else if (value is IEnumerable)
            {
                writer.WriteAttributeString("type", "array");
                foreach (object item in (IEnumerable)value)
                {
                    writer.WriteStartElement("item");
                    WriteValue(writer, item);
                    writer.WriteEndElement();
                }
            }
            else
            {
                writer.WriteAttributeString("type", "number");
                writer.WriteString(Convert.ToString(value, CultureInfo.InvariantCulture));
            }
        }

        private static void WriteMember(XmlDictionaryWriter writer, string name, object value)
        {
            if (name.Length > 0 && XmlConvert.EncodeLocalName(name) == name)
            {
                writer.WriteStartElement(name);
            }
            else
            {
                writer.WriteStartElement("a", "item", "item");
                writer.WriteAttributeString("item", name);
            }
            WriteValue(writer, value);
            writer.WriteEndElement();
        }
    }
}
