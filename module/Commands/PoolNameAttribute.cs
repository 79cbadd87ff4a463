using System;
using System.Collections;
using System.Management.Automation;

namespace PersistentChatFailover.Commands
{
    /// <summary>
    /// Takes pool names: texts, lists of them, and objects that carry one as PoolFqdn, or as the Identity of a pool (that of
    /// Get-CsPool is its FQDN). The management shell's own type for a name is taken by its text.
    /// </summary>
    [AttributeUsage(AttributeTargets.Property)]
    public sealed class PoolNameAttribute : ArgumentTransformationAttribute
    {
        public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
        {
            var wrapped = inputData as PSObject;
            object plain = wrapped == null ? inputData : wrapped.BaseObject;
            if (plain == null || plain is string)
            {
                return plain;
            }
            var list = plain as IEnumerable;
            if (list != null && !(plain is IDictionary))
            {
                var names = new ArrayList();
                foreach (object item in list)
                {
                    names.Add(Transform(engineIntrinsics, item));
                }
                return names.ToArray();
            }
            object name = Member(inputData, "PoolFqdn");
            if (name == null && Member(inputData, "Computers") != null)
            {
                name = Member(inputData, "Identity");
            }
            if (name == null && plain.GetType().Name == "Fqdn")
            {
                name = plain;
            }
            if (name == null)
            {
                throw new ArgumentTransformationMetadataException(
                    "An object of type " + plain.GetType().Name + " is no pool and has no PoolFqdn. Give the pool's FQDN.");
            }
            return name.ToString();
        }

        private static object Member(object from, string name)
        {
            PSPropertyInfo property = PSObject.AsPSObject(from).Properties[name];
            return property == null ? null : property.Value;
        }
    }
}
