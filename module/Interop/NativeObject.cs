using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Management.Automation;

namespace PersistentChatFailover.Interop
{
    /// <summary>An object of a native command as a document: the properties wanted, as invariant strings.</summary>
    internal static class NativeObject
    {
        /// <summary>Topology objects are cyclic and their getters throw, so nothing but the paths wanted is touched.</summary>
        internal static object Picked(PSObject result, List<object> properties)
        {
            var map = new Dictionary<string, object>();
            if (result == null)
            {
                return map;
            }
            if (result.BaseObject is string || result.BaseObject is ValueType)
            {
                map[string.Empty] = Invariant(result.BaseObject);
                return map;
            }
            foreach (string path in properties)
            {
                map[path] = path == "*" ? Everything(result) : Walk(result, path.Split(new[] { '.' }), 0);
            }
            return map;
        }

        /// <summary>All properties of an object of the pipeline, one level deep: topology objects are cyclic.</summary>
        internal static object Whole(PSObject result)
        {
            var map = new Dictionary<string, object>();
            foreach (PSPropertyInfo property in result.Properties)
            {
                map[property.Name] = Walk(result, new[] { property.Name }, 0);
            }
            return map;
        }

        /// <summary>The texts of all properties, one level deep, for objects whose members are not documented.</summary>
        private static object Everything(PSObject result)
        {
            var texts = new List<object>();
            foreach (PSPropertyInfo property in result.Properties)
            {
                object value = Walk(result, new[] { property.Name }, 0);
                var list = value as List<object>;
                if (list != null)
                {
                    texts.AddRange(list);
                }
                else if (value != null)
                {
                    texts.Add(value);
                }
            }
            return texts;
        }

        private static object Walk(object start, string[] path, int from)
        {
            object at = start;
            try
            {
                for (int i = from; i < path.Length; i++)
                {
                    if (at == null)
                    {
                        return null;
                    }
                    if (IsList(at))
                    {
                        return WalkEach((IEnumerable)Plain(at), path, i);
                    }
                    PSPropertyInfo property = PSObject.AsPSObject(at).Properties[path[i]];
                    at = property == null ? null : property.Value;
                }
                return Invariant(at);
            }
            catch (RuntimeException)
            {
                return null;
            }
        }

        private static object WalkEach(IEnumerable list, string[] path, int from)
        {
            var values = new List<object>();
            foreach (object item in list)
            {
                object value = Walk(item, path, from);
                var inner = value as List<object>;
                if (inner != null)
                {
                    values.AddRange(inner);
                }
                else if (value != null)
                {
                    values.Add(value);
                }
            }
            return values;
        }

        private static object Plain(object value)
        {
            var wrapped = value as PSObject;
            return wrapped == null ? value : wrapped.BaseObject;
        }

        private static bool IsList(object value)
        {
            object plain = Plain(value);
            return plain is IEnumerable && !(plain is string) && !(plain is IDictionary);
        }

        private static object Invariant(object value)
        {
            object plain = Plain(value);
            if (plain == null)
            {
                return null;
            }
            if (IsList(plain))
            {
                var texts = new List<object>();
                foreach (object item in (IEnumerable)plain)
                {
                    texts.Add(Text(Plain(item)));
                }
                return texts;
            }
            return Text(plain);
        }

        private static string Text(object plain)
        {
            return plain is DateTime
                ? ((DateTime)plain).ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture)
                : Convert.ToString(plain, CultureInfo.InvariantCulture);
        }
    }
}
