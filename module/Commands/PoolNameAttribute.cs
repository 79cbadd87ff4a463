using System;
using System.Collections;
using System.Management.Automation;

namespace PersistentChatFailover.Commands
{
    /// <summary>
    /// Takes pool names: texts, lists of them, and objects that carry one as PoolFqdn. The management shell's own type for
    /// a name is taken by its text.
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
            PSPropertyInfo property = PSObject.AsPSObject(inputData).Properties["PoolFqdn"];
            object name = property == null ? null : property.Value;
            if (name == null && plain.GetType().Name == "Fqdn")
            {
                name = plain;
            }
            if (name == null)
            {
                throw new ArgumentTransformationMetadataException(
                    "An object of type " + plain.GetType().Name + " is no pool name and has no PoolFqdn. Give the pool's FQDN.");
            }
            return name.ToString();
        }
    }
}
