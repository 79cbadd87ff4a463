using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Reflection;
using System.Text;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Documents
{
    /// <summary>
    /// Fills typed objects from documents, strictly: a member that is unknown or missing is an error. The member
    /// `secondary_database` belongs to the property `SecondaryDatabase`.
    /// </summary>
    internal static class Document
    {
        internal static T Read<T>(object document) where T : new()
        {
            return (T)Fill(typeof(T), document, typeof(T).Name);
        }

        /// <summary>The object's members as a document of maps and lists.</summary>
        internal static object Write(object value)
        {
            if (value == null || value is string || value is bool || value is int || value is long)
            {
                return value;
            }
            if (value is decimal)
            {
                return ((decimal)value).ToString("0", CultureInfo.InvariantCulture);
            }
            if (value is DateTime)
            {
                return ((DateTime)value).ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            }
            var list = value as IEnumerable;
            if (list != null)
            {
                var items = new List<object>();
                foreach (object item in list)
                {
                    items.Add(Write(item));
                }
                return items;
            }
            var map = new Dictionary<string, object>();
            foreach (PropertyInfo property in Members(value.GetType()))
            {
                map[MemberName(property.Name)] = Write(property.GetValue(value, null));
            }
            return map;
        }

        private static IEnumerable<PropertyInfo> Members(Type type)
        {
            foreach (PropertyInfo property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            {
                if (property.CanWrite && property.GetSetMethod() != null)
                {
                    yield return property;
                }
            }
        }

        /// <summary>`RedoPointLsn` as `redo_point_lsn`.</summary>
        internal static string MemberName(string property)
        {
            var name = new StringBuilder();
            foreach (char letter in property)
            {
                if (char.IsUpper(letter) && name.Length > 0)
                {
                    name.Append('_');
                }
                name.Append(char.ToLowerInvariant(letter));
            }
            return name.ToString();
        }

        private static object Fill(Type type, object document, string where)
        {
            var map = document as Dictionary<string, object>;
            if (map == null)
            {
                throw new FormatException(where + " is no object");
            }
            object target = Activator.CreateInstance(type);
            int known = 0;
            foreach (PropertyInfo property in Members(type))
            {
                string name = MemberName(property.Name);
                object value;
                if (!map.TryGetValue(name, out value))
                {
                    throw new FormatException(where + " has no member " + name);
                }
                known++;
                property.SetValue(target, Convert(property.PropertyType, value, where + "." + name), null);
            }
            if (known != map.Count)
            {
                foreach (string name in map.Keys)
                {
                    if (!HasMember(type, name))
                    {
                        throw new FormatException(where + " has the unknown member " + name);
                    }
                }
            }
            return target;
        }

        private static bool HasMember(Type type, string name)
        {
            foreach (PropertyInfo property in Members(type))
            {
                if (MemberName(property.Name) == name)
                {
                    return true;
                }
            }
            return false;
        }

        private static object Convert(Type type, object value, string where)
        {
            Type plain = Nullable.GetUnderlyingType(type);
            if (value == null)
            {
                // Lists and maps are empty, never null; of texts, the library's own documents decide.
                if (plain != null || !type.IsValueType && !type.IsArray)
                {
                    return null;
                }
                throw new FormatException(where + " is null");
            }
            plain = plain ?? type;
            try
            {
                return ConvertPresent(plain, value, where);
            }
            catch (InvalidCastException e)
            {
                throw new FormatException(where + " has another type than expected", e);
            }
            catch (OverflowException e)
            {
                throw new FormatException(where + " is too large", e);
            }
        }

        private static object ConvertPresent(Type type, object value, string where)
        {
            if (type == typeof(object))
            {
                return value;
            }
            if (type == typeof(string) || type == typeof(bool))
            {
                if (value.GetType() != type)
                {
                    throw new FormatException(where + " has another type than expected");
                }
                return value;
            }
            if (type == typeof(int))
            {
                return decimal.ToInt32((decimal)value);
            }
            if (type == typeof(long))
            {
                return decimal.ToInt64((decimal)value);
            }
            if (type == typeof(decimal))
            {
                // LSNs are strings of up to 25 digits; a decimal holds 28.
                return value is decimal ? value : decimal.Parse((string)value, NumberStyles.None, CultureInfo.InvariantCulture);
            }
            if (type == typeof(DateTime))
            {
                return DateTime.Parse(
                    (string)value, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal);
            }
            if (type.IsArray)
            {
                var list = (List<object>)value;
                Array array = Array.CreateInstance(type.GetElementType(), list.Count);
                for (int i = 0; i < list.Count; i++)
                {
                    array.SetValue(Convert(type.GetElementType(), list[i], where + "[" + i + "]"), i);
                }
                return array;
            }
            if (type == typeof(Dictionary<string, string>))
            {
                var facts = new Dictionary<string, string>();
                foreach (KeyValuePair<string, object> entry in (Dictionary<string, object>)value)
                {
                    facts[entry.Key] = (string)entry.Value;
                }
                return facts;
            }
            return Fill(type, value, where);
        }
    }
}
